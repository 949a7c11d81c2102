import { assert, assertEquals } from "../assert.ts";
import type { Found } from "../../src/dht/mod.ts";
import { PATIENCE } from "../../src/dht/peer_book.ts";
import { setUp, timeTo, values } from "./fixture.ts";

const KEYS = Array.from({ length: 40 }, (_, i) => `key-${i}`);

async function stored(count: number) {
  const mesh = setUp(count);
  const { at, later } = mesh;
  await at(0).dht.storeMany(
    KEYS.map((key) => ({ key, value: key, expiration: later(600) })),
    { awaitAll: true },
  );
  mesh.bus.calls.length = 0;
  return mesh;
}

Deno.test("a plain value is answered by one replica", async () => {
  const { bus, peers } = await stored(20);
  const key = KEYS[0] as string;
  const reader = peers.find(({ dht, identity }) =>
    !dht.replicasOf(key).includes(identity.peerId)
  );
  assertEquals(values(await reader?.dht.get(key)), key);
  assertEquals(bus.calls.length, 1);
  const holder = peers.find(({ dht }) => dht.records > 0);
  const held = KEYS.find((each) =>
    holder?.dht.replicasOf(each).includes(holder.identity.peerId)
  ) as string;
  assertEquals(values(await holder?.dht.get(held)), held);
  assertEquals(bus.calls.length, 1, "what we hold ourselves needs no call");
});

Deno.test("with a third of the nodes dead and still in the table, every key is found", async () => {
  const { bus, peers } = await stored(30);
  const members = peers.map(({ identity }) => identity.peerId);
  // As long as nobody noticed: they are members, but calls to them fail.
  // Each key keeps a replica: what nobody has cannot be found.
  const failing = new Set<string>();
  for (const member of members) {
    if (failing.size === 10) break;
    failing.add(member);
    const lost = KEYS.some((key) =>
      peers[0]?.dht.replicasOf(key).every((each) => failing.has(each))
    );
    if (lost) failing.delete(member);
  }
  assertEquals(failing.size, 10);
  bus.tamper = (peer, _method, answer) =>
    failing.has(peer) ? new Uint8Array([0xc1]) : answer;
  for (const { dht, identity } of peers) {
    if (failing.has(identity.peerId)) continue;
    const found = await dht.getMany(KEYS);
    assertEquals(found.map(values), KEYS);
  }
});

Deno.test("a replica that swallows calls is worked around, then asked last and probed", async () => {
  const { bus, clock, peers } = await stored(20);
  const reader = peers[19];
  assert(reader);
  // Everybody is known as fast before some of them fall silent.
  for (const key of KEYS) await reader.dht.latest(key);
  const black = peers.slice(0, 6).map(({ identity }) => identity.peerId);
  black.forEach((id) => bus.silent.add(id));
  const waits: number[] = [];
  for (const key of KEYS) {
    const read = reader.dht.get(key);
    waits.push(await timeTo(read, clock));
    assertEquals(values(await read), key);
  }
  assert(Math.max(...waits) <= 6 * PATIENCE.maxHedge, `${waits}`);
  await clock.advance(PATIENCE.firstTimeout);
  bus.calls.length = 0;
  for (const key of KEYS) {
    const read = reader.dht.get(key);
    assertEquals(await timeTo(read, clock), 0, "nobody silent is asked first");
  }
  const asked = bus.askedFor("dht.find");
  assert(!asked.some((peer) => black.includes(peer)));
  black.forEach((id) => bus.silent.delete(id));
  const end = new AbortController();
  const running = reader.dht.run(end.signal);
  bus.calls.length = 0;
  await clock.advance(PATIENCE.lastProbe);
  const probed = new Set(bus.askedFor("dht.ping"));
  assertEquals(
    [...probed].sort(),
    black.filter((id) => probed.has(id)).sort(),
    "only the silent are probed",
  );
  assert(probed.size > 0);
  end.abort();
  await running;
});

/** A dictionary with some of its replicas silent, and a reader that knows nobody's times. */
async function dictionary(silent: number) {
  const mesh = setUp(20);
  const { at, bus, clock, later, peers } = mesh;
  const replicas = at(0).dht.replicasOf("k");
  await at(0).dht.store({
    key: "k",
    subkey: at(0).signature.ownerMarker,
    value: "here",
    expiration: later(600),
  }, { awaitAll: true });
  const black = replicas.slice(0, silent);
  black.forEach((peer) => bus.silent.add(peer));
  const others = peers.filter(({ identity }) =>
    !replicas.includes(identity.peerId)
  );
  bus.calls.length = 0;
  const read = async (reader = others.at(-1)) => {
    const get = reader?.dht.get("k") as Promise<Found | undefined>;
    const took = await timeTo(get, clock);
    assertEquals(values(await get), ["here"]);
    return took;
  };
  return { ...mesh, black, read };
}

Deno.test("a read does not wait for those that were late, once enough others answered", async () => {
  const { read } = await dictionary(3);
  const took = await read();
  assert(took <= 3 * PATIENCE.firstHedge + 3 * PATIENCE.minHedge, `${took}`);
});

Deno.test("a read begins with peers that no other read waits for", async () => {
  const { read, bus, black } = await dictionary(2);
  await read();
  bus.calls.length = 0;
  assertEquals(await read(), 0);
  assert(!bus.askedFor("dht.find").some((peer) => black.includes(peer)));
});

Deno.test("who is silent is asked by one read at a time, and a stand-in instead", async () => {
  const { read, bus, clock, black } = await dictionary(3);
  await read();
  await clock.advance(PATIENCE.firstTimeout);
  bus.calls.length = 0;
  for (let i = 0; i < 10; i++) assertEquals(await read(), 0);
  const asked = bus.askedFor("dht.find");
  for (const peer of black) {
    assertEquals(asked.filter((each) => each === peer).length, 1);
  }
});

Deno.test("what nobody answered with yet is asked of everybody, the silent included", async () => {
  const { bus, clock, at, peers, black } = await dictionary(3);
  const reader = peers.find(({ identity }) =>
    !at(0).dht.replicasOf("absent").includes(identity.peerId)
  );
  assert(reader);
  black.forEach((peer) => bus.silent.delete(peer));
  const absent = at(0).dht.replicasOf("absent");
  absent.forEach((peer) => bus.silent.add(peer));
  for (let i = 0; i < 2; i++) {
    bus.calls.length = 0;
    const get: Promise<Found | undefined> = reader.dht.get("absent");
    await timeTo(get, clock);
    assertEquals(await get, undefined);
    const asked = new Set(bus.askedFor("dht.find"));
    assert(absent.every((peer) => asked.has(peer)));
    // Ten may hold it, and the reader may be one of them.
    assert(asked.size >= 9, `${asked.size} were asked`);
  }
});

Deno.test("a dictionary is complete although replicas missed stores", async () => {
  const { bus, at, later, peers } = setUp(9);
  const replicas = at(0).dht.replicasOf("k");
  const put = (by: number) =>
    at(by).dht.store({
      key: "k",
      subkey: at(by).signature.ownerMarker,
      value: by,
      expiration: later(60),
    }, { awaitAll: true });
  // Each store misses two other replicas, which is as many as it may.
  for (const i of peers.keys()) {
    const missing = new Set([0, 1].map((n) => replicas[(i + n) % 5]));
    bus.refuse = (to, method) => method === "dht.store" && missing.has(to);
    await put(i);
  }
  bus.refuse = () => false;
  for (const { dht } of peers) {
    assertEquals(
      (values(await dht.get("k")) as number[]).toSorted(),
      [...peers.keys()],
    );
  }
});

Deno.test("a read that is given up ends at once", async () => {
  const { bus, clock, peers } = await stored(20);
  peers.forEach(({ identity }) => bus.silent.add(identity.peerId));
  const end = new AbortController();
  const key = KEYS.find((each) =>
    !peers[0]?.dht.replicasOf(each).includes(peers[0].identity.peerId)
  ) as string;
  const read = peers[0]?.dht.get(key, { signal: end.signal });
  const failed = read?.then(() => "found", (error: Error) => error.message);
  await clock.advance(10);
  end.abort(new Error("enough"));
  assertEquals(await failed, "enough");
  await peers[0]?.dht.stop();
});
