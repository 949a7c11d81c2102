import {
  CompositeValidator,
  concat,
  decode,
  dhtId,
  encode,
  generateIdentity,
  type Identity,
  LocalStorage,
  ManualClock,
  MemoryTable,
  MetricsRegistry,
  NO_SUBKEY,
  PredicateValidator,
  type RecordPredicate,
  type RecordValidator,
  SignatureValidator,
  Tuple,
} from "../../mod.ts";
import { Dht, type Found } from "../../src/dht/mod.ts";
import {
  decodeStore,
  decodeStoreAnswers,
  encodeFound,
  encodeStore,
} from "../../src/dht/wire.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { CallBus } from "./call_bus.ts";

interface Peer {
  readonly identity: Identity;
  readonly signature: SignatureValidator;
  readonly metrics: MetricsRegistry;
  readonly dht: Dht;
}

function setUp(count: number, rule: RecordPredicate = () => true) {
  const bus = new CallBus();
  const clock = new ManualClock(1_000_000);
  const peers: Peer[] = [];
  for (let i = 0; i < count; i++) {
    const identity = generateIdentity();
    const signature = new SignatureValidator(identity);
    const metrics = new MetricsRegistry();
    const dht = new Dht({
      peerId: identity.peerId,
      calls: bus.of(identity.peerId),
      members: () =>
        peers.map((peer) => peer.identity.peerId)
          .filter((id) => id !== identity.peerId && !bus.dead.has(id)),
      validator: new CompositeValidator([
        signature,
        new PredicateValidator(rule),
      ]),
      clock,
      metrics,
    });
    peers.push({ identity, signature, metrics, dht });
  }
  const at = (i: number) => peers[i] as Peer;
  const later = (seconds: number) => clock.now() / 1000 + seconds;
  return { bus, clock, peers, at, later };
}

const values = (found: Found | undefined) =>
  found?.kind === "dictionary"
    ? found.entries.map(({ value }) => value)
    : found?.value;

Deno.test("what one node stores every node finds, whatever its type", async () => {
  const { peers, at, later } = setUp(8);
  const cases = [0, "", false, true, new Tuple([]), [], "text", 1n << 60n];
  for (const [i, value] of cases.entries()) {
    const result = await at(i % 8).dht.store({
      key: ["key", i],
      value,
      expiration: later(60),
    });
    assertEquals(result.replicas.map(({ outcome }) => outcome), [
      ...Array(5).fill("stored"),
    ]);
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
  const { replicas } = await at(0).dht.store({
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
  const { stored, replicas } = await at(1).dht.store({
    key: "node",
    subkey: at(0).signature.ownerMarker,
    value: 99,
    expiration: later(90),
  });
  assert(!stored);
  assert(replicas.every(({ outcome }) => outcome === "refused"));
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
  const { bus, peers, at, later } = setUp(9);
  const nearest = at(0).dht.replicasOf("k");
  const gone = nearest.filter((id) => id !== at(0).identity.peerId).slice(0, 3);
  // Still in the table, but not answering.
  const others = peers.map(({ identity }) => identity.peerId);
  const stale = new Dht({
    peerId: at(0).identity.peerId,
    calls: bus.of(at(0).identity.peerId),
    members: () => others.slice(1),
    validator: at(0).signature,
  });
  gone.forEach((id) => bus.dead.add(id));
  const { replicas } = await stale.store({
    key: "k",
    value: 1,
    expiration: Date.now() / 1000 + 60,
  });
  const outcome = (wanted: string) =>
    replicas.filter((answer) => answer.outcome === wanted).length;
  // The others' clock stands in the past, so that they find the life too long.
  assertEquals(outcome("unreachable"), 3);
  assertEquals(replicas.length - outcome("unreachable"), 5);
  assert(later(0) > 0);
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
    const found = await at(1).dht.get("k");
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
  const { stored } = await at(0).dht.store({ key: "forbidden", ...record });
  assert(!stored);
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
  const again = await at(0).dht.store(request);
  assert(again.replicas.every(({ outcome }) => outcome === "stored"));
  const older = await at(0).dht.store({ ...request, expiration: later(50) });
  assert(!older.stored);
  assert(older.replicas.every(({ outcome }) => outcome === "older"));
});

Deno.test("many keys travel in few calls", async () => {
  const { bus, at, later } = setUp(5);
  const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
  const results = await at(0).dht.storeMany(
    keys.map((key) => ({ key, value: key, expiration: later(60) })),
  );
  assert(results.every(({ replicas }) => replicas.length === 5));
  const found = await at(1).dht.getMany(keys);
  assertEquals(found.map(values), keys);
  assertEquals(bus.calls.length, 4 * 2 + 4 * 2);
});

Deno.test("lives that are endless, past or beyond the limit are refused", async () => {
  const { at, later } = setUp(3);
  for (const expiration of [later(-1), later(8 * 24 * 3600), 1e300]) {
    const { replicas } = await at(0).dht.store({
      key: "k",
      value: 1,
      expiration,
    });
    assert(replicas.every(({ outcome }) => outcome === "refused"));
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
    const { replicas } = await dht.store({ key: "key", value, expiration });
    return replicas.map(({ outcome }) => outcome);
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
  assertEquals(decodeStoreAnswers(answer, 1), ["refused"]);
  assertEquals(
    metrics.get("meshnode_dht_refused_records_total", {
      reason: "storage-failed",
    }),
    1,
  );
  assertEquals(await dht.get("nothing"), undefined, "and it goes on");
});
