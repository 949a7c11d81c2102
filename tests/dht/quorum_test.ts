import { NO_SUBKEY } from "../../mod.ts";
import { StoreError } from "../../src/dht/mod.ts";
import { encodeStoreAnswers } from "../../src/dht/wire.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";
import { answersTo, outcomesOf, type Peer, setUp, timeTo } from "./fixture.ts";

/** The replicas of "k" that are not peer 0, nearest first. */
const othersOf = ({ at }: ReturnType<typeof setUp>) =>
  at(0).dht.replicasOf("k").filter((id) => id !== at(0).identity.peerId);

Deno.test("a store returns at its quorum and goes on with the other replicas", async () => {
  const mesh = setUp(5);
  const { bus, clock, at, later, peers } = mesh;
  const [slow, slower] = othersOf(mesh) as [string, string];
  bus.delays.set(slow, 200).set(slower, 240);
  const store = at(0).dht.store({ key: "k", value: 1, expiration: later(60) });
  const took = await timeTo(store, clock);
  const result = await store;
  assert(took < 200, `it waited ${took} ms`);
  assertEquals([result.stored, result.quorum], [true, 3]);
  assertEquals(outcomesOf(result.replicas), Array(3).fill("stored"));
  const holders = () => peers.filter(({ dht }) => dht.records > 0).length;
  assertEquals(holders(), 3);
  await clock.advance(300);
  assertEquals(holders(), 5);
});

Deno.test("a stop waits for the rest of a store, and no longer than it must", async () => {
  const mesh = setUp(5);
  const { bus, clock, at, later, peers } = mesh;
  const [slow] = othersOf(mesh) as [string];
  bus.delays.set(slow, 200);
  await at(0).dht.store({ key: "k", value: 1, expiration: later(60) });
  const stop = at(0).dht.stop();
  await timeTo(stop, clock);
  assertEquals(peers.filter(({ dht }) => dht.records > 0).length, 5);
});

Deno.test("under the quorum a store fails with every replica's answer", async () => {
  const mesh = setUp(5);
  const { bus, clock, at, later } = mesh;
  othersOf(mesh).slice(0, 3).forEach((id) => bus.silent.add(id));
  const request = { key: "k", value: 1, expiration: later(60) };
  const store = at(0).dht.store(request);
  const failed = assertRejects(store, (error) => {
    assert(error instanceof StoreError);
    assertEquals(error.code, "STORE_BELOW_QUORUM");
    assert(error.message.startsWith("2 replicas stored the record, 3 are"));
    assertEquals(
      outcomesOf(error.result.replicas).toSorted(),
      ["stored", "stored", "unreachable", "unreachable", "unreachable"],
    );
    const unreachable = error.result.replicas.find(({ outcome }) =>
      outcome === "unreachable"
    );
    assertEquals(unreachable?.reason, "RPC_TIMEOUT");
    return true;
  });
  await timeTo(store, clock);
  await failed;
  const two = at(0).dht.store(request, { writeQuorum: 2 });
  await timeTo(two, clock);
  assert((await two).stored);
});

Deno.test("where there are fewer peers than replicas, most of those that are there suffice", async () => {
  for (const [count, quorum] of [[1, 1], [2, 2], [3, 2], [4, 3]] as const) {
    const { at, later } = setUp(count);
    const { stored, quorum: needed } = await at(0).dht.store({
      key: "k",
      value: 1,
      expiration: later(60),
    });
    assertEquals([stored, needed], [true, quorum]);
  }
  const { at, later } = setUp(3, undefined, { writeQuorum: 4 });
  await assertRejects(
    at(0).dht.store({ key: "k", value: 1, expiration: later(60) }),
    { code: "STORE_BELOW_QUORUM" },
  );
});

Deno.test("a store whose replicas refuse, cannot be reached and hold newer ones fails with each one's reason", async () => {
  const mesh = setUp(5);
  const { bus, at, peers, later } = mesh;
  const [gone, refusing, newer] = othersOf(mesh) as [string, string, string];
  const request = { key: "k", value: 1, expiration: later(60) };
  // One alone took what is newer.
  bus.refuse = (peer) => peer !== newer;
  const by = peers.find(({ identity }) => identity.peerId === newer) as Peer;
  await by.dht.store({ ...request, expiration: later(90) }, { writeQuorum: 1 });
  bus.refuse = (peer) => peer === gone;
  bus.tamper = (peer, method, answer) =>
    peer === refusing && method === "dht.store"
      ? encodeStoreAnswers(["refused"])
      : answer;
  await assertRejects(at(0).dht.store(request), (error) => {
    assert(error instanceof StoreError);
    const answers = new Map(
      error.result.replicas.map(({ peerId, outcome, reason }) => [
        peerId,
        `${outcome} ${reason ?? ""}`.trim(),
      ]),
    );
    assertEquals(answers.get(gone), "unreachable RPC_UNREACHABLE");
    assertEquals(answers.get(refusing), "refused invalid");
    assertEquals(answers.get(newer), "older");
    assertEquals(answers.size, 5);
    assert(error.message.startsWith("2 replicas stored the record, 3 are"));
    return true;
  });
});

Deno.test("a quorum that no number of replicas is, or reaches, is no quorum", async () => {
  const { at, later } = setUp(5);
  const request = { key: "k", value: 1, expiration: later(60) };
  for (const writeQuorum of [0, -1, 1.5, NaN, Infinity, 6]) {
    await assertRejects(at(0).dht.store(request, { writeQuorum }), {
      code: "QUORUM_INVALID",
    });
    assertThrows(() => setUp(1, undefined, { writeQuorum }), {
      code: "QUORUM_INVALID",
    });
  }
  assertEquals(at(0).dht.records, 0);
});

Deno.test("one record that is refused does not fail those stored with it", async () => {
  const { at, later } = setUp(
    5,
    ({ subkey }) => subkey[0] === NO_SUBKEY[0],
  );
  const results = await at(0).dht.storeMany([
    { key: "a", value: 1, expiration: later(60) },
    { key: "a", subkey: "s", value: 1, expiration: later(60) },
    { key: "b", value: 1, expiration: later(60) },
  ]);
  assertEquals(results.map(({ stored }) => stored), [true, false, true]);
});

Deno.test("a caller who gives up ends the store, and nothing is left of it", async () => {
  const mesh = setUp(5);
  const { bus, clock, at, later } = mesh;
  othersOf(mesh).forEach((id) => bus.silent.add(id));
  const end = new AbortController();
  const store = at(0).dht.store(
    { key: "k", value: 1, expiration: later(60) },
    { signal: end.signal },
  );
  const failed = assertRejects(store, { message: "enough" });
  await clock.advance(10);
  end.abort(new Error("enough"));
  await failed;
  await at(0).dht.stop();
});

Deno.test("every call of an operation can be followed", async () => {
  const mesh = setUp(5);
  const { bus, at, later } = mesh;
  const [gone] = othersOf(mesh) as [string];
  const seen: string[] = [];
  const onCall = (
    { peerId, method, outcome }: {
      peerId: string;
      method: string;
      outcome: string;
    },
  ) => {
    seen.push(`${peerId === gone ? "gone" : "other"} ${method} ${outcome}`);
  };
  bus.tamper = (peer, _method, answer) =>
    peer === gone ? new Uint8Array([0xc1]) : answer;
  await at(0).dht.store(
    { key: "k", value: 1, expiration: later(60) },
    { awaitAll: true, onCall },
  );
  assertEquals(seen.toSorted(), [
    "gone dht.store DECODE",
    "other dht.store answered",
    "other dht.store answered",
    "other dht.store answered",
  ]);
  assertEquals(
    (await answersTo(at(1).dht, {
      key: "k",
      value: 2,
      expiration: later(61),
    })).length,
    5,
  );
});
