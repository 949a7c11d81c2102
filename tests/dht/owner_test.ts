import { concat, dhtId, encode, TOMBSTONE } from "../../mod.ts";
import { StoreError } from "../../src/dht/mod.ts";
import {
  decodeStoreAnswers,
  encodeFound,
  encodeStore,
  type StoreAnswer,
} from "../../src/dht/wire.ts";
import {
  encodeList,
  encodePage,
  encodeStoreIf,
  encodeWatch,
} from "../../src/dht/owner/owner_wire.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { outcomesOf, setUp, values } from "./fixture.ts";

Deno.test("a deleted record is gone everywhere, late copies of it too", async () => {
  const { bus, peers, at, later } = setUp(6);
  const subkey = at(0).signature.ownerMarker;
  const record = { key: "k", subkey, value: 1, expiration: later(60) };
  await at(0).dht.store(record, { awaitAll: true });
  await at(1).dht.store({ ...record, subkey: "other", value: 2 });
  const missed = at(0).dht.replicasOf("k")
    .find((id) => id !== at(0).identity.peerId) as string;
  bus.silent.clear();
  bus.dead.add(missed);
  const result = await at(0).dht.delete("k", subkey, { awaitAll: true });
  assert(result?.stored);
  bus.dead.clear();
  for (const { dht } of peers) {
    assertEquals(values(await dht.latest("k")), [2]);
  }
  assertEquals(await at(0).dht.delete("k", subkey), undefined, "once only");
  await assertRejects(at(0).dht.store(record), { code: "STORE_BELOW_QUORUM" });
  await at(0).dht.store({ ...record, value: 3, expiration: later(61) });
  assertEquals(values(await at(2).dht.latest("k")), [2, 3]);
});

Deno.test("a tombstone that is replayed deletes nothing that was stored after it", async () => {
  const { bus, peers, at, later } = setUp(6);
  const { signature } = at(0);
  const subkey = signature.ownerMarker;
  const record = { key: "k", subkey, value: 1, expiration: later(60) };
  await at(0).dht.store(record, { awaitAll: true });
  await at(0).dht.delete("k", subkey, { awaitAll: true });
  const deleted = {
    key: dhtId("k"),
    subkey: encode(subkey),
    value: TOMBSTONE,
    expiration: record.expiration + 0.001,
  };
  const tombstone = { ...deleted, value: signature.signValue(deleted) };
  const replay = async () => {
    for (const peer of at(0).dht.replicasOf("k")) {
      const answer = await bus.raw(peer, "dht.store", encodeStore([tombstone]));
      replies.add(decodeStoreAnswers(answer, 1)[0]);
    }
  };
  const replies = new Set<StoreAnswer | undefined>();
  await replay();
  assertEquals([...replies], ["stored"], "it is the owner's own");
  replies.clear();
  await at(0).dht.storeIf(
    { ...record, value: 2, expiration: later(90) },
    null,
  );
  await replay();
  assertEquals([...replies], ["older"]);
  for (const { dht } of peers) {
    assertEquals(values(await dht.latest("k")), [2]);
  }
});

Deno.test("nobody deletes what is another's, and plain records are deleted too", async () => {
  const { at, later } = setUp(5);
  const subkey = at(0).signature.ownerMarker;
  await at(0).dht.store({ key: "k", subkey, value: 1, expiration: later(60) });
  await assertRejects(at(1).dht.delete("k", subkey), StoreError);
  assertEquals(values(await at(1).dht.latest("k")), [1]);
  assertEquals(await at(1).dht.delete("nothing"), undefined);
  await at(1).dht.store({ key: "plain", value: 1, expiration: later(60) });
  await at(2).dht.delete("plain");
  assertEquals(await at(3).dht.latest("plain"), undefined);
});

Deno.test("a forged tombstone deletes nothing", async () => {
  const { bus, at, later } = setUp(5);
  const subkey = at(0).signature.ownerMarker;
  await at(0).dht.store({ key: "k", subkey, value: 1, expiration: later(60) });
  const forged = {
    key: dhtId("k"),
    subkey: encode(subkey),
    value: concat(TOMBSTONE, new TextEncoder().encode("[signature:AAAA]")),
    expiration: later(600),
  };
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find" ? encodeFound([[forged]]) : answer;
  const found = await at(1).dht.get("k", { subkeys: [subkey] });
  const own = at(1).dht.records > 0;
  assertEquals(values(found), own ? [1] : undefined);
  bus.tamper = (_peer, _method, answer) => answer;
  assertEquals(values(await at(1).dht.latest("k")), [1]);
});

Deno.test("of writers who expect the same, one succeeds and the others are told", async () => {
  const { peers, at, later } = setUp(8);
  const put = (i: number, expected: Uint8Array | null, life: number) =>
    at(i).dht.storeIf(
      { key: "k", subkey: "lock", value: i, expiration: later(life) },
      expected,
    );
  const race = async (expected: Uint8Array | null, life: number) => {
    const results = await Promise.allSettled(
      peers.map((_, i) => put(i, expected, life + i)),
    );
    const winners = results.flatMap(({ status }, i) =>
      status === "fulfilled" ? [i] : []
    );
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      assertEquals(result.reason.code, "STORE_CONFLICT");
      assert(result.reason.hint.includes("again"));
    }
    assertEquals(winners.length, 1);
    return winners[0] as number;
  };
  const first = await race(null, 60);
  const found = await at(0).dht.get("k", { latest: true, digests: true });
  assertEquals(values(found), [first]);
  assert(found?.kind === "dictionary");
  const digest = found.entries[0]?.digest as Uint8Array;
  const second = await race(digest, 100);
  assertEquals(values(await at(1).dht.latest("k")), [second]);
  await assertRejects(put(1, digest, 200), { code: "STORE_CONFLICT" });
});

Deno.test("where something else is held than was expected, nothing is written anywhere", async () => {
  const { bus, at, later } = setUp(6);
  const request = { key: "k", value: 1, expiration: later(60) };
  const { replicas } = await at(0).dht.storeIf(request, null);
  assertEquals(outcomesOf(replicas), Array(5).fill("stored"));
  bus.calls.length = 0;
  try {
    await at(0).dht.storeIf({ ...request, expiration: later(90) }, null);
    assert(false, "it must fail");
  } catch (error) {
    assert(error instanceof StoreError);
    assertEquals(error.code, "STORE_CONFLICT");
    assertEquals(outcomesOf(error.result.replicas), Array(3).fill("conflict"));
  }
  assertEquals(bus.askedFor("dht.store-if"), []);
  // An unreachable one is passed over.
  const [first] = at(0).dht.replicasOf("k") as [string];
  const [client] = [at(0), at(1)]
    .filter(({ identity }) => identity.peerId !== first);
  bus.refuse = (peer, method) => peer === first && method === "dht.store-if";
  const [{ digest }] = [
    await client?.dht.get("k", { latest: true, digests: true }) as {
      digest: Uint8Array;
    },
  ];
  const after = await client?.dht.storeIf(
    { ...request, value: 2, expiration: later(90) },
    digest,
  );
  assertEquals(outcomesOf(after?.replicas ?? []).toSorted(), [
    ...Array(4).fill("stored"),
    "unreachable",
  ]);
});

Deno.test("a replica that is behind neither lets a late writer in nor keeps another out", async () => {
  const { bus, peers, at, later } = setUp(8);
  const put = async (
    by: number,
    value: number,
    expected: Uint8Array | null,
    life: number,
  ) => {
    const expiration = later(life);
    const request = { key: "k", subkey: "lock", value, expiration };
    return await at(by).dht.storeIf(request, expected);
  };
  const digest = async () => {
    const found = await at(writer).dht.get("k", {
      latest: true,
      digests: true,
    });
    assert(found?.kind === "dictionary");
    return found.entries[0]?.digest as Uint8Array;
  };
  const [nearest] = at(0).dht.replicasOf("k") as [string];
  const writer = peers.findIndex(({ identity }) =>
    !at(0).dht.replicasOf("k").includes(identity.peerId)
  );
  await put(writer, 1, null, 60);
  const first = await digest();
  bus.refuse = (peer) => peer === nearest;
  await put(writer, 2, first, 70);
  // Nothing but the stores completes it.
  bus.refuse = (_peer, method) => method === "dht.copy";
  const second = await digest();
  // What the nearest still holds is what the late one expects.
  await assertRejects(put(writer, 3, first, 900), { code: "STORE_CONFLICT" });
  const { replicas } = await put(writer, 4, second, 80);
  assertEquals(
    outcomesOf(replicas).filter((each) => each === "stored").length,
    4,
  );
  for (const { dht } of peers) {
    assertEquals(values(await dht.latest("k")), [4], "the late one left none");
  }
});

Deno.test("without a majority of the replicas a conditional store writes nothing", async () => {
  const { bus, at, later } = setUp(5);
  const others = at(0).dht.replicasOf("k")
    .filter((peer) => peer !== at(0).identity.peerId);
  bus.refuse = (peer) => others.slice(0, 3).includes(peer);
  const request = { key: "k", value: 1, expiration: later(60) };
  await assertRejects(at(0).dht.storeIf(request, null), {
    code: "STORE_BELOW_QUORUM",
  });
  assertEquals(bus.askedFor("dht.store-if"), []);
  assertEquals(at(0).dht.records, 0);
});

Deno.test("a dictionary larger than a frame is read whole, and listed page by page", async () => {
  const { at, later } = setUp(3);
  const names = Array.from({ length: 40 }, (_, i) => `name-${10 + i}`);
  const value = "x".repeat(200_000);
  await at(0).dht.storeMany(
    names.map((subkey) => ({
      key: "big",
      subkey,
      value,
      expiration: later(60),
    })),
    { awaitAll: true },
  );
  const whole = await at(1).dht.get("big");
  assert(whole?.kind === "dictionary");
  assertEquals(whole.entries.map(({ subkey }) => subkey), names);
  const some = await at(2).dht.get("big", { subkeys: names });
  assert(some?.kind === "dictionary");
  assertEquals(some.entries.length, names.length);
  const several = await at(1).dht.getMany(["none", "big", "big"]);
  assertEquals(
    several.map((found) =>
      found?.kind === "dictionary" && found.entries.length
    ),
    [false, 40, 40],
  );
  const listed: unknown[] = [];
  let pages = 1;
  let page = await at(1).dht.list("big", { limit: 7 });
  for (; page.next !== undefined; pages++) {
    listed.push(...page.entries.map(({ subkey }) => subkey));
    page = await at(1).dht.list("big", { limit: 7, after: page.next });
  }
  listed.push(...page.entries.map(({ subkey }) => subkey));
  assertEquals(listed, names);
  assert(pages >= 6);
});

Deno.test("a replica whose pages never end, or go round, is not followed for ever", async () => {
  const { bus, at, later } = setUp(4);
  await at(0).dht.store(
    { key: "k", subkey: "a", value: 1, expiration: later(60) },
    { awaitAll: true },
  );
  const record = {
    key: dhtId("k"),
    subkey: encode("b"),
    value: encode(2),
    expiration: later(60),
  };
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find"
      ? encodeFound([[record]], [true])
      : method === "dht.list"
      ? encodePage({ records: [record], more: true })
      : answer;
  const found = await at(0).dht.latest("k");
  assertEquals((values(found) as number[]).toSorted(), [1, 2]);
});

Deno.test("who is there from the first page to the last is listed once, whatever comes and goes meanwhile", async () => {
  const { bus, at, later } = setUp(6);
  const put = (subkey: string) => ({
    key: "k",
    subkey,
    value: subkey,
    expiration: later(60),
  });
  const stay = Array.from({ length: 20 }, (_, i) => `n${10 + 2 * i}`);
  const go = Array.from({ length: 20 }, (_, i) => `n${11 + 2 * i}`);
  await at(0).dht.storeMany([...stay, ...go].map(put), { awaitAll: true });
  const listed: unknown[] = [];
  let after: Uint8Array | undefined;
  for (let page = 0; page === 0 || after !== undefined; page++) {
    const { entries, next } = await at(1).dht.list("k", { limit: 4, after });
    listed.push(...entries.map(({ subkey }) => subkey));
    after = next;
    // One before and one behind the page's end goes, another one comes.
    const [last = "n10"] = listed.slice(-1) as string[];
    for (const gone of [go.shift(), go.pop()]) {
      if (gone !== undefined) await at(0).dht.delete("k", gone);
    }
    await at(0).dht.store(put(`${last}-later`));
    if (page === 2) {
      const [victim] = at(1).dht.replicasOf("k").filter((peer) =>
        peer !== at(0).identity.peerId && peer !== at(1).identity.peerId
      ) as [string];
      bus.dead.add(victim);
    }
    if (page > 40) break;
  }
  assertEquals(after, undefined);
  assertEquals(
    listed.filter((name) => stay.includes(name as string)),
    stay,
  );
  assertEquals(new Set(listed).size, listed.length, "nobody is listed twice");
});

Deno.test("a replica's pages lead a listing neither round nor past what others hold", async () => {
  const { bus, at, later } = setUp(4);
  const names = ["a", "b", "c", "d", "e"];
  await at(0).dht.storeMany(
    names.map((subkey) => ({
      key: "k",
      subkey,
      value: subkey,
      expiration: later(60),
    })),
    { awaitAll: true },
  );
  const [liar] = at(0).dht.replicasOf("k")
    .filter((peer) => peer !== at(0).identity.peerId) as [string];
  const lies = [
    { subkey: encode("a"), value: encode("a") },
    {
      subkey: encode(null),
      value: encode("a plain one that hides all others"),
    },
  ];
  for (const lie of lies) {
    const record = { key: dhtId("k"), ...lie, expiration: later(900) };
    bus.tamper = (peer, method, answer) =>
      peer === liar && method === "dht.list"
        ? encodePage({ records: [record], more: true })
        : answer;
    const listed: unknown[] = [];
    let after: Uint8Array | undefined;
    for (let pages = 0; pages < 8; pages++) {
      const page = await at(0).dht.list("k", { limit: 2, after });
      listed.push(...page.entries.map(({ subkey }) => subkey));
      after = page.next;
      if (after === undefined) break;
    }
    assertEquals([listed, after], [names, undefined]);
  }
});

Deno.test("a read that brings others' records past the rules of a store is impossible here", async () => {
  const { bus, peers, at, later } = setUp(5, (_record, type) => type === "get");
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find"
      ? encodeFound([[{
        key: dhtId("k"),
        subkey: encode("a"),
        value: encode("planted"),
        expiration: later(60),
      }]])
      : answer;
  assertEquals(values(await at(0).dht.latest("k")), ["planted"]);
  for (const { dht } of peers) {
    await dht.stop();
    assertEquals(dht.records, 0);
  }
});

Deno.test("a claimed endless life of a dictionary is impossible here", async () => {
  const { bus, at, later } = setUp(5);
  await at(0).dht.store(
    { key: "k", subkey: "a", value: "true", expiration: later(60) },
    { awaitAll: true },
  );
  const [liar] = at(1).dht.replicasOf("k")
    .filter((id) => id !== at(1).identity.peerId);
  bus.tamper = (peer, method, answer) =>
    peer === liar && method === "dht.find"
      ? encodeFound([[]]) // No outer expiration can be told: none is on the wire.
      : answer;
  assertEquals(values(await at(1).dht.latest("k")), ["true"]);
});

Deno.test("malformed calls of owners are refused, in every truncation", async () => {
  const { bus, at, later } = setUp(1);
  const record = {
    key: dhtId("k"),
    subkey: encode("a"),
    value: encode(1),
    expiration: later(60),
  };
  const good = {
    "dht.store-if": encodeStoreIf({
      step: "claim",
      record,
      expected: new Uint8Array(32),
    }),
    "dht.list": encodeList({ key: record.key, after: record.subkey, most: 3 }),
  };
  const { peerId } = at(0).identity;
  for (const [method, body] of Object.entries(good)) {
    await bus.raw(peerId, method, body);
    for (let length = 0; length < body.length; length++) {
      await assertRejects(bus.raw(peerId, method, body.slice(0, length)), {
        name: "DecodeError",
      });
    }
  }
  for (
    const [method, body] of [
      [
        "dht.store-if",
        encodeStoreIf({ step: "settle", record, expected: new Uint8Array(31) }),
      ],
      ["dht.list", encodeList({ key: record.key, most: 0 })],
      ["dht.list", encodeWatch(record.key)],
    ] as const
  ) {
    await assertRejects(bus.raw(peerId, method, body), { name: "DecodeError" });
  }
  assertEquals(at(0).dht.records, 0);
});
