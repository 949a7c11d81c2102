import {
  CompositeValidator,
  concat,
  decode,
  dhtId,
  encode,
  generateIdentity,
  LocalStorage,
  MemoryTable,
  MetricsRegistry,
  NO_SUBKEY,
  type RecordValidator,
  Tuple,
} from "../../mod.ts";
import { Dht } from "../../src/dht/mod.ts";
import {
  decodeStore,
  decodeStoreAnswers,
  encodeFound,
  encodeStore,
} from "../../src/dht/wire.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { answersTo, outcomesOf, setUp, values } from "./fixture.ts";

Deno.test("what one node stores every node finds, whatever its type", async () => {
  const { peers, at, later } = setUp(8);
  const cases = [0, "", false, true, new Tuple([]), [], "text", 1n << 60n];
  for (const [i, value] of cases.entries()) {
    const answers = await answersTo(at(i % 8).dht, {
      key: ["key", i],
      value,
      expiration: later(60),
    });
    assertEquals(outcomesOf(answers), Array(5).fill("stored"));
    for (const { dht } of peers) {
      assertEquals(await dht.get(["key", i]), {
        kind: "plain",
        value,
        expiration: later(60),
      });
    }
  }
  assertEquals(await at(0).dht.get("nothing"), undefined);
});

Deno.test("a key lives at its five nearest nodes, on which all agree", async () => {
  const { peers, at, later } = setUp(12);
  const replicas = await answersTo(at(0).dht, {
    key: "k",
    value: 1,
    expiration: later(60),
  });
  const holders = peers.filter(({ dht }) => dht.records === 1)
    .map(({ identity }) => identity.peerId);
  assertEquals(replicas.map(({ peerId }) => peerId).sort(), holders.sort());
  for (const { dht } of peers) {
    assertEquals(dht.replicasOf("k").toSorted(), holders);
  }
});

Deno.test("the owners of subkeys share a key, and only they write there", async () => {
  const { peers, at, later } = setUp(6);
  for (const [i, { dht, signature }] of peers.entries()) {
    const { stored } = await dht.store({
      key: "node",
      subkey: signature.ownerMarker,
      value: i,
      expiration: later(60),
    });
    assert(stored);
  }
  const found = await at(3).dht.get("node");
  assertEquals((values(found) as number[]).toSorted(), [0, 1, 2, 3, 4, 5]);
  const foreign = {
    key: "node",
    subkey: at(0).signature.ownerMarker,
    value: 99,
    expiration: later(90),
  };
  await assertRejects(at(1).dht.store(foreign), {
    code: "STORE_BELOW_QUORUM",
  });
  for (const { outcome, reason } of await answersTo(at(1).dht, foreign)) {
    assertEquals([outcome, reason], ["refused", "invalid"]);
  }
});

Deno.test("single subkeys can be asked for", async () => {
  const { bus, at, later } = setUp(6);
  const expiration = later(60);
  await at(0).dht.storeMany(
    ["a", "b", "c"].map((subkey) => ({
      key: "k",
      subkey,
      value: `${subkey}!`,
      expiration,
    })),
  );
  bus.calls.length = 0;
  const [found] = await at(1).dht.getMany(["k"], { subkeys: ["c", "a", "x"] });
  assertEquals(values(found), ["a!", "c!"]);
  assert(bus.calls.length <= 5, "one call to each replica");
  const none = await at(1).dht.get("k", { subkeys: ["x"] });
  assertEquals(none, undefined);
});

Deno.test("replicas that are gone are replaced by the next nearest", async () => {
  const { bus, clock, peers, at, later } = setUp(9);
  const nearest = at(0).dht.replicasOf("k");
  const gone = nearest.filter((id) => id !== at(0).identity.peerId).slice(0, 3);
  // Still in the table, but not answering.
  const others = peers.map(({ identity }) => identity.peerId);
  const stale = new Dht({
    peerId: at(0).identity.peerId,
    calls: bus.of(at(0).identity.peerId),
    members: () => others.slice(1),
    validator: at(0).signature,
    clock,
  });
  gone.forEach((id) => bus.dead.add(id));
  const answers = await answersTo(stale, {
    key: "k",
    value: 1,
    expiration: later(60),
  });
  const outcome = (wanted: string) =>
    answers.filter((answer) => answer.outcome === wanted).length;
  assertEquals(outcome("unreachable"), 3);
  assertEquals(outcome("stored"), 5);
});

Deno.test("a get merges the newest of each subkey over all replicas", async () => {
  const { bus, peers, at, later } = setUp(5);
  const put = (by: number, value: number, life: number) =>
    at(by).dht.store({
      key: "k",
      subkey: at(by).signature.ownerMarker,
      value,
      expiration: later(life),
    });
  const ids = peers.map(({ identity }) => identity.peerId);
  await put(0, 1, 60);
  bus.dead.add(ids[3] as string);
  await put(0, 2, 61);
  await put(1, 7, 60);
  bus.dead.clear();
  for (const { dht } of peers) {
    assertEquals((values(await dht.get("k")) as number[]).toSorted(), [2, 7]);
    assertEquals((values(await dht.latest("k")) as number[]).length, 2);
  }
});

Deno.test("a replica's invalid records hide nothing but themselves", async () => {
  const { bus, clock, at, later } = setUp(5);
  await at(0).dht.store({
    key: "k",
    subkey: at(0).signature.ownerMarker,
    value: "honest",
    expiration: later(60),
  });
  const liar = at(2).identity.peerId;
  const forged = (expiration: number) => ({
    key: dhtId("k"),
    subkey: encode(at(0).signature.ownerMarker),
    value: encode("forged"),
    expiration,
  });
  for (
    const answer of [
      encodeFound([[forged(later(600)), forged(1e300)]]),
      encodeFound([[{ ...forged(later(600)), subkey: NO_SUBKEY }, forged(1)]]),
      encodeFound([]),
      new Uint8Array([0xc1]),
      new Uint8Array(),
    ]
  ) {
    bus.tamper = (peer, method, honest) =>
      peer === liar && method === "dht.find" ? answer : honest;
    const found = await at(1).dht.latest("k");
    if (found?.kind === "dictionary") {
      assertEquals(values(found), ["honest"]);
    } else {
      // An unprotected plain record that outlives the dictionary replaces it,
      // as the reference has it; a subnet's rule keeps such records out.
      assertEquals(found?.value, "forged");
    }
  }
  assert(at(1).metrics.sum("meshnode_dht_invalid_records_total") > 0);
  assert(at(1).metrics.sum("meshnode_dht_failed_calls_total") > 0);
  await clock.advance(61_000);
  bus.tamper = (_peer, _method, answer) => answer;
  assertEquals(await at(1).dht.get("k"), undefined);
});

Deno.test("a subnet's rule decides on store and on read alike", async () => {
  const forbidden = dhtId("forbidden");
  const { bus, at, later } = setUp(
    5,
    ({ key }) => key.toString() !== forbidden.toString(),
  );
  const record = { value: 1, expiration: later(60) };
  const answers = await answersTo(at(0).dht, { key: "forbidden", ...record });
  assertEquals(outcomesOf(answers), Array(5).fill("refused"));
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find"
      ? encodeFound([[{
        key: forbidden,
        subkey: NO_SUBKEY,
        value: encode(1),
        expiration: later(60),
      }]])
      : answer;
  assertEquals(await at(1).dht.get("forbidden"), undefined);
});

Deno.test("stored again after a lost answer, a record is reported as stored", async () => {
  const { at, later } = setUp(5);
  const request = { key: "k", value: 1, expiration: later(60) };
  await at(0).dht.store(request);
  const again = await answersTo(at(0).dht, request);
  assertEquals(outcomesOf(again), Array(5).fill("stored"));
  const older = { ...request, expiration: later(50) };
  assertEquals(
    outcomesOf(await answersTo(at(0).dht, older)),
    Array(5).fill("older"),
  );
});

Deno.test("many keys travel in few calls", async () => {
  const { bus, at, later } = setUp(5);
  const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
  const results = await at(0).dht.storeMany(
    keys.map((key) => ({ key, value: key, expiration: later(60) })),
    { awaitAll: true },
  );
  assert(results.every(({ replicas }) => replicas.length === 5));
  const found = await at(1).dht.getMany(keys);
  assertEquals(found.map(values), keys);
  assertEquals(bus.calls.length, 4 * 2, "our own replica answers the reads");
  const newest = await at(2).dht.getMany(keys, { latest: true });
  assertEquals(newest.map(values), keys);
  assertEquals(bus.calls.length, 4 * 2 + 4 * 2);
});

Deno.test("lives that are endless, past or beyond the limit are refused", async () => {
  const { at, later } = setUp(3);
  for (
    const [expiration, why] of [
      [later(-1), "expired"],
      [later(8 * 24 * 3600), "too-long-lived"],
      [1e300, "too-long-lived"],
    ] as const
  ) {
    const answers = await answersTo(at(0).dht, {
      key: "k",
      value: 1,
      expiration,
    });
    assertEquals(outcomesOf(answers), Array(3).fill("refused"));
    assertEquals(answers.map(({ reason }) => reason), Array(3).fill(why));
  }
});

Deno.test("malformed calls are refused and change nothing", async () => {
  const { bus, at, later } = setUp(1);
  const good = encodeStore([{
    key: dhtId("k"),
    subkey: NO_SUBKEY,
    value: encode(1),
    expiration: later(60),
  }]);
  const bad = [
    ...Array.from(good, (_, length) => good.slice(0, length)),
    concat(good, new Uint8Array(1)),
    encodeStore([{
      key: new Uint8Array(19),
      subkey: NO_SUBKEY,
      value: encode(1),
      expiration: later(60),
    }]),
    encodeStore([{
      key: dhtId("k"),
      subkey: new Uint8Array([0xc1]),
      value: encode(1),
      expiration: later(60),
    }]),
  ];
  for (const body of bad) {
    await assertRejects(
      bus.raw(at(0).identity.peerId, "dht.store", body),
      { name: "DecodeError" },
    );
  }
  assertEquals(at(0).dht.records, 0);
  assertEquals(decodeStore(good).length, 1);
});

Deno.test("a replica tells who sent a record, learns what it depends on, and says what was new", async () => {
  const known = new Set<string>();
  const seen: string[] = [];
  const rule: RecordValidator = {
    priority: 9,
    validate: () => true,
    judge: (record, type, sender) => {
      seen.push(`${type} ${sender ?? "self"}`);
      if (type === "get") return "ok";
      const text = decode(record.value) as string;
      return text.startsWith("bad")
        ? "refused"
        : known.has(text)
        ? "ok"
        : "later";
    },
    learn: (record) => {
      const text = decode(record.value) as string;
      if (text !== "never") known.add(text);
      return Promise.resolve();
    },
    stored: (_record, type, sender) => {
      seen.push(`stored ${type} ${sender ?? "self"}`);
    },
    signValue: ({ value }) => value,
    stripValue: ({ value }) => value,
    mergeWith: () => false,
  };
  const { bus, clock } = setUp(0);
  const dht = new Dht({
    peerId: "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
    calls: bus.of("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"),
    members: () => [],
    validator: new CompositeValidator([rule]),
    clock,
  });
  const outcomes = async (value: string) => {
    seen.length = 0;
    const expiration = clock.now() / 1000 + 60;
    return outcomesOf(
      await answersTo(dht, { key: "key", value, expiration }),
    );
  };
  assertEquals(await outcomes("bad"), ["refused"]);
  assertEquals(seen, ["post self"]);
  assertEquals(await outcomes("never"), ["later"]);
  assertEquals(seen, ["post self", "post self"]);
  assertEquals(await outcomes("a"), ["stored"]);
  assertEquals(seen, ["post self", "post self", "stored post self"]);
  assertEquals(await outcomes("a"), ["stored"], "the same again");
  assertEquals(seen, ["post self"], "is nothing new");
  const record = {
    key: dhtId("other"),
    subkey: NO_SUBKEY,
    value: encode("a"),
    expiration: clock.now() / 1000 + 60,
  };
  seen.length = 0;
  await bus.raw(
    "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
    "dht.store",
    encodeStore([record]),
  );
  assertEquals(seen, ["post stranger", "stored post stranger"]);
});

Deno.test("nothing is acknowledged that the medium did not keep", async () => {
  const table = Object.assign(new MemoryTable(), {
    committed: () => Promise.reject(new Error("disk full")),
  });
  const { bus, clock, later } = setUp(0);
  const { peerId } = generateIdentity();
  const metrics = new MetricsRegistry();
  const dht = new Dht({
    peerId,
    calls: bus.of(peerId),
    members: () => [],
    validator: new CompositeValidator([]),
    storage: new LocalStorage(() => clock.now() / 1000, { table }),
    clock,
    metrics,
  });
  const answer = await bus.raw(
    peerId,
    "dht.store",
    encodeStore([{
      key: dhtId("k"),
      subkey: NO_SUBKEY,
      value: encode(1),
      expiration: later(60),
    }]),
  );
  assertEquals(decodeStoreAnswers(answer, 1), ["storage-failed"]);
  assertEquals(
    metrics.get("meshnode_dht_refused_records_total", {
      reason: "storage-failed",
    }),
    1,
  );
  assertEquals(await dht.get("nothing"), undefined, "and it goes on");
});
