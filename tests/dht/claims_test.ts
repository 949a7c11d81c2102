import { dhtId, encode, LocalStorage, NO_SUBKEY } from "../../mod.ts";
import { CLAIMS, Claims } from "../../src/dht/owner/claims.ts";
import { DEPARTED, Departed } from "../../src/dht/owner/departed.ts";
import {
  encodeStoreIf,
  type StoreStep,
} from "../../src/dht/owner/owner_wire.ts";
import { decodeStoreAnswers, encodeStore } from "../../src/dht/wire.ts";
import { recordDigest } from "../../src/records/digest.ts";
import type { DhtRecord } from "../../src/records/record.ts";
import type { HeldRecord } from "../../src/records/table.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { type Peer, setUp, values } from "./fixture.ts";

const record = (n: number, value = 1) => ({
  key: dhtId(n),
  subkey: NO_SUBKEY,
  value: encode(value),
  expiration: 1_000,
});

Deno.test("a place is claimed by one writer at a time, for a while", async () => {
  const clock = new VirtualClock(0);
  const claims = new Claims(clock);
  assertEquals(claims.claim(record(1), "a"), "claimed");
  assertEquals(claims.claim(record(1), "a"), "claimed", "once more");
  assertEquals(claims.claim(record(1), "b"), "taken", "the same by another");
  assertEquals(claims.claim(record(1, 2), "a"), "taken", "another by the same");
  assertEquals(claims.claim(record(2), "b"), "claimed", "another place");
  await clock.advance(CLAIMS.life - 1);
  assert(claims.has(record(1), "a"));
  await clock.advance(1);
  assert(!claims.has(record(1), "a"));
  assertEquals(claims.claim(record(1, 2), "b"), "claimed");
  claims.withdraw(record(1, 2), "a");
  assert(claims.has(record(1, 2), "b"), "only whose it is gives it up");
  claims.withdraw(record(1, 2), "b");
  assertEquals(claims.claim(record(1), "a"), "claimed");
});

Deno.test("claims are bounded, of one peer and of all", async () => {
  const clock = new VirtualClock(0);
  const claims = new Claims(clock);
  for (let n = 0; n < CLAIMS.perPeer; n++) {
    assertEquals(claims.claim(record(n), "a"), "claimed");
  }
  assertEquals(claims.claim(record(-1), "a"), "full");
  for (let n = CLAIMS.perPeer; n < CLAIMS.most; n++) {
    assertEquals(claims.claim(record(n), `peer-${n}`), "claimed");
  }
  assertEquals(claims.claim(record(-1), "b"), "full");
  assertEquals(claims.claim(record(5), "a"), "claimed", "it has this one");
  await clock.advance(CLAIMS.life);
  assertEquals(claims.claim(record(-1), "b"), "claimed");
});

Deno.test("only who stored a record takes it back, for a while, unless somebody else stored it too", async () => {
  const clock = new VirtualClock(0);
  const claims = new Claims(clock);
  const replaced: HeldRecord = {
    ...record(1, 0),
    ...{ owner: "o", size: 10, deleted: false },
  };
  claims.settle(record(1), "a", replaced);
  assertEquals(claims.withdraw(record(1), "b"), undefined);
  assertEquals(claims.withdraw(record(1, 2), "a"), undefined);
  assertEquals(claims.withdraw(record(1), "a"), { replaced });
  assertEquals(claims.withdraw(record(1), "a"), undefined, "once");
  claims.settle(record(1), "a", undefined);
  claims.confirm(record(1));
  assertEquals(claims.withdraw(record(1), "a"), undefined);
  claims.settle(record(1), "a", undefined);
  await clock.advance(CLAIMS.life);
  assertEquals(claims.withdraw(record(1), "a"), undefined);
  // Large ones are not kept without bound.
  const size = CLAIMS.bytes / 4;
  for (let n = 0; n < 5; n++) {
    claims.settle(record(n), "a", { ...replaced, size });
  }
  assertEquals(claims.withdraw(record(0), "a"), undefined);
  assert(claims.withdraw(record(1), "a") !== undefined);
});

Deno.test("who left lately is remembered for minutes, and who is back is not", () => {
  const departed = new Departed();
  const peers = () => [...departed.peers()].toSorted();
  departed.note(["a", "b", "c"], 0);
  assertEquals(peers(), []);
  departed.note(["a"], 1_000);
  assertEquals(peers(), ["b", "c"]);
  departed.note(["a", "c"], 2_000);
  assertEquals(peers(), ["b"]);
  departed.note([], 3_000);
  assertEquals(peers(), ["a", "b", "c"]);
  departed.note([], 1_000 + DEPARTED.memory);
  assertEquals(peers(), ["a", "c"]);
  departed.note(
    Array.from({ length: 2 * DEPARTED.most }, (_, i) => `peer-${i}`),
    DEPARTED.memory,
  );
  departed.note([], DEPARTED.memory);
  assertEquals(peers().length, DEPARTED.most);
});

/** A replica of "k" with one record, and a peer that takes steps at it. */
async function replica() {
  const mesh = setUp(1);
  const { at, bus, later } = mesh;
  const held = { key: "k", subkey: "s", value: 0, expiration: later(60) };
  await at(0).dht.store(held);
  const place = { key: dhtId("k"), subkey: encode("s") };
  const first = { ...place, value: encode(0), expiration: held.expiration };
  const next = { ...place, value: encode(1), expiration: later(90) };
  const step = async (
    name: StoreStep,
    by = "writer",
    record: DhtRecord = next,
    expected: Uint8Array | null = recordDigest(first),
  ) => {
    const body = encodeStoreIf({ step: name, record, expected });
    const answer = await bus.of(by).call(
      at(0).identity.peerId,
      "dht.store-if",
      body,
      { timeout: 1_000 },
    );
    return decodeStoreAnswers(answer, 1)[0];
  };
  const value = async () => values(await at(0).dht.get("k"))?.toString();
  return { ...mesh, first, next, step, value };
}

Deno.test("nobody sees a claim, and without one nothing is stored", async () => {
  const { step, value, next, first, later } = await replica();
  assertEquals(await step("settle"), "conflict");
  assertEquals(await step("claim"), "stored");
  assertEquals(await value(), "0");
  assertEquals(await step("settle", "other"), "conflict");
  const older = { ...next, expiration: first.expiration - 1 };
  assertEquals(await step("claim", "other", older), "older");
  const expired = { ...next, expiration: later(-1) };
  assertEquals(await step("claim", "other", expired), "expired");
  assertEquals(await step("claim", "other", next, null), "conflict");
  assertEquals(await step("claim", "other"), "conflict");
  assertEquals(await step("settle"), "stored");
  assertEquals(await value(), "1");
  assertEquals(await step("claim", "other"), "conflict", "it is held now");
});

Deno.test("what is taken back gives way to what was there, at the word of its writer alone", async () => {
  const { bus, at, step, value, next } = await replica();
  await step("claim");
  await step("settle");
  assertEquals(await step("withdraw", "other"), "conflict");
  assertEquals(await value(), "1");
  assertEquals(await step("withdraw"), "stored");
  assertEquals(await value(), "0");
  assertEquals(await step("withdraw"), "stored", "nothing is left of it");
  // Once it came in another way, too, it was acknowledged to somebody.
  await step("claim");
  await step("settle");
  await bus.raw(at(0).identity.peerId, "dht.store", encodeStore([next]));
  assertEquals(await step("withdraw"), "conflict");
  assertEquals(await value(), "1");
});

Deno.test("what took the place of nothing leaves nothing when it is taken back", async () => {
  const { at, later, step } = await replica();
  const record = {
    key: dhtId("none"),
    subkey: NO_SUBKEY,
    value: encode("x"),
    expiration: later(60),
  };
  await step("claim", "writer", record, null);
  await step("settle", "writer", record, null);
  assertEquals(values(await at(0).dht.get("none")), "x");
  await step("withdraw", "writer", record, null);
  assertEquals(await at(0).dht.get("none"), undefined);
  assertEquals(at(0).dht.records, 1);
});

/** A mesh with one value under "k", and a writer that is no replica. */
async function writing() {
  const mesh = setUp(7);
  const { at, peers, later } = mesh;
  const writers = peers.filter(({ identity }) =>
    !at(0).dht.replicasOf("k").includes(identity.peerId)
  );
  const [writer, other] = writers as [Peer, Peer];
  const replicas = writer.dht.replicasOf("k");
  const put = async (by: Peer, value: number, expected: Uint8Array | null) =>
    await by.dht.storeIf(
      { key: "k", value, expiration: later(1_000 + value) },
      expected,
    );
  const digestAt = async ({ dht }: Peer) => {
    const found = await dht.get("k", { latest: true, digests: true });
    assert(found?.kind === "plain" && found.digest !== undefined);
    return found.digest;
  };
  await put(writer, 0, null);
  const digest = await digestAt(writer);
  return { ...mesh, writer, other, replicas, put, digest, digestAt };
}

Deno.test("a writer that dies before a majority agreed leaves nothing, and is waited for a few seconds", async () => {
  const { bus, clock, writer, other, put, digest } = await writing();
  const { peerId } = writer.identity;
  bus.tamper = (_peer, method, answer) => {
    if (method === "dht.store-if") bus.dead.add(peerId);
    return answer;
  };
  await assertRejects(put(writer, 1, digest), { code: "STORE_BELOW_QUORUM" });
  bus.tamper = (_peer, _method, answer) => answer;
  await assertRejects(put(other, 2, digest), { code: "STORE_CONFLICT" });
  await clock.advance(CLAIMS.life);
  await put(other, 2, digest);
  bus.dead.clear();
  assertEquals(values(await writer.dht.latest("k")), 2);
});

Deno.test("where the mesh breaks while replicas store, they put back what they held", async () => {
  const { bus, peers, writer, replicas, put, digest } = await writing();
  // All agree, two can be told to store, none of the others ever hears of it.
  const lost = new Set(replicas.slice(2));
  let asked = 0;
  bus.refuse = (peer, method) =>
    method === "dht.store-if" && ++asked > 5 && asked <= 10 && lost.has(peer);
  await assertRejects(put(writer, 1, digest), {
    code: "STORE_BELOW_QUORUM",
    message: /5 took it back/,
  });
  assertEquals(asked, 15);
  for (const { dht } of peers) assertEquals(values(await dht.latest("k")), 0);
  await put(writer, 2, digest);
  assertEquals(values(await writer.dht.latest("k")), 2);
});

Deno.test("who cannot tell whether its record is gone says so", async () => {
  const { bus, writer, replicas, put, digest } = await writing();
  const lost = new Set(replicas.slice(2));
  let asked = 0;
  bus.refuse = (peer, method) =>
    method === "dht.store-if" && ++asked > 5 && lost.has(peer);
  await assertRejects(put(writer, 1, digest), {
    code: "STORE_UNCERTAIN",
    message: /2 took it back, 3 could not be reached/,
    hint: /read it again/,
  });
});

Deno.test("who is cut off with a minority of the replicas does not decide alone", async () => {
  const { bus, clock, peers, writer, other, replicas, put, ...mesh } =
    await writing();
  const { digest, digestAt } = mesh;
  const minority = new Set([writer.identity.peerId, ...replicas.slice(0, 2)]);
  bus.divide = (a, b) => minority.has(a) !== minority.has(b);
  assertEquals(writer.dht.replicasOf("k").length, 3);
  await assertRejects(put(writer, 9, digest), { code: "STORE_BELOW_QUORUM" });
  await put(other, 1, digest);
  bus.divide = () => false;
  for (const { dht } of peers) assertEquals(values(await dht.latest("k")), 1);
  // Who is gone for long is no replica any more.
  const next = await digestAt(writer);
  bus.divide = (a, b) => minority.has(a) !== minority.has(b);
  await assertRejects(put(writer, 2, next), { code: "STORE_BELOW_QUORUM" });
  await clock.advance(DEPARTED.memory);
  assertEquals((await put(writer, 2, next)).quorum, 2);
});

Deno.test("why replicas have no room for a record is told, though they agreed before", async () => {
  const { add, clock, at, later } = setUp(0);
  for (let i = 0; i < 5; i++) {
    add({
      storage: new LocalStorage(() => clock.now() / 1_000, {
        limits: { ownerRecords: i < 3 ? 0 : 10 },
      }),
    });
  }
  const request = { key: "k", value: 1, expiration: later(60) };
  await assertRejects(at(0).dht.storeIf(request, null), {
    code: "STORE_BELOW_QUORUM",
    message: /3 refused it \(owner-full\).* 2 took it back/,
  });
  assertEquals(await at(4).dht.latest("k"), undefined);
});

Deno.test("who gives up before a majority agreed leaves nothing; after that the record is stored all the same", async () => {
  const { bus, clock, peers, writer, other, put, digest } = await writing();
  for (const { identity } of peers) bus.delays.set(identity.peerId, 20);
  for (const [after, value] of [[50, 0], [70, 1]] as const) {
    const end = new AbortController();
    const storing = writer.dht.storeIf(
      { key: "k", value: 1, expiration: clock.now() / 1_000 + 2_000 },
      digest,
      { signal: end.signal },
    ).catch((error: Error) => error.message);
    await clock.advance(after);
    end.abort(new Error("enough"));
    assertEquals(await storing, "enough");
    await clock.advance(1_000);
    const reading = clock.run(other.dht.latest("k"));
    assertEquals(values(await reading), value, `after ${after} ms`);
  }
  bus.delays.clear();
  await assertRejects(put(other, 2, digest), { code: "STORE_CONFLICT" });
});
