import { dhtId, encode, NO_SUBKEY } from "../../mod.ts";
import { ReadCache } from "../../src/dht/read_cache.ts";
import { encodeFound } from "../../src/dht/wire.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { assert, assertEquals } from "../assert.ts";
import { type Peer, setUp, timeTo, values } from "./fixture.ts";

/** A mesh, and a peer that holds nothing of "k". */
async function reading(cache = true) {
  const mesh = setUp(12, undefined, cache ? { cache: {} } : {});
  const { at, peers, later, bus } = mesh;
  const reader = peers.find(({ dht, identity }) =>
    !dht.replicasOf("k").includes(identity.peerId)
  ) as Peer;
  const writer = peers.find((peer) => peer !== reader) as Peer;
  const put = (value: number, life: number) =>
    writer.dht.store(
      { key: "k", value, expiration: later(life) },
      { awaitAll: true },
    );
  await put(1, 600);
  bus.calls.length = 0;
  const asked = () => bus.askedFor("dht.find").length;
  return { ...mesh, at, reader, writer, put, asked };
}

Deno.test("gets of one key at the same time are one read", async () => {
  const { reader, asked } = await reading(false);
  const found = await Promise.all(
    Array.from({ length: 20 }, () => reader.dht.get("k")),
  );
  assertEquals(found.map(values), Array(20).fill(1));
  assertEquals(asked(), 1);
  await reader.dht.get("k");
  assertEquals(asked(), 2, "nothing is kept unless it is wanted");
});

Deno.test("who joins a read that its beginner gives up reads by itself", async () => {
  const { reader, bus, clock } = await reading(false);
  for (const id of reader.dht.replicasOf("k")) bus.delays.set(id, 20);
  const end = new AbortController();
  const first = reader.dht.get("k", { signal: end.signal })
    .catch((error: Error) => error.message);
  const second = reader.dht.get("k");
  end.abort(new Error("enough"));
  assertEquals(await first, "enough");
  await clock.advance(100);
  assertEquals(values(await second), 1);
});

Deno.test("what is enough for one reader is not what another gets", async () => {
  const { reader, writer, bus, clock, later } = await reading();
  const names = ["a", "b", "c"];
  // What the reader holds itself would be enough at once.
  const key = ["d", "e", "f", "g", "h", "i", "j", "k", "l", "m"].find((each) =>
    !reader.dht.replicasOf(each).includes(reader.identity.peerId)
  ) as string;
  await writer.dht.storeMany(
    names.map((subkey) => ({
      key,
      subkey,
      value: subkey,
      expiration: later(600),
    })),
    { awaitAll: true },
  );
  for (const id of reader.dht.replicasOf(key)) bus.delays.set(id, 60);
  const enough = new AbortController();
  for (const latest of [false, true]) {
    const first = reader.dht.get(key, { latest, enough: enough.signal });
    const second = reader.dht.get(key);
    enough.abort();
    assertEquals(await first, undefined);
    await timeTo(second, clock);
    assertEquals(values(await second), names);
  }
});

Deno.test("hot keys are answered from the cache, the latest never is", async () => {
  const { reader, asked, put, clock } = await reading();
  for (let i = 0; i < 3; i++) await reader.dht.get("k");
  assertEquals(asked(), 3);
  for (let i = 0; i < 50; i++) {
    assertEquals(values(await reader.dht.get("k")), 1);
  }
  assertEquals(asked(), 3);
  await put(2, 700);
  assertEquals(values(await reader.dht.latest("k")), 2);
  assert(asked() > 3);
  assertEquals(values(await reader.dht.get("k")), 2, "and what it saw is kept");
  await clock.advance(6_000);
  const before = asked();
  await reader.dht.get("k");
  assert(asked() > before, "an answer is not given for ever");
});

Deno.test("a hot key is read anew before its answer is too old, and nobody waits", async () => {
  const { reader, asked, put, clock } = await reading();
  for (let i = 0; i < 3; i++) await reader.dht.get("k");
  await put(2, 700);
  const before = asked();
  await clock.advance(4_000);
  assertEquals(values(await reader.dht.get("k")), 1);
  await clock.advance(1);
  assert(asked() > before);
  assertEquals(values(await reader.dht.get("k")), 2);
});

Deno.test("our own stores are seen by our own gets at once", async () => {
  const { reader, later } = await reading();
  for (let i = 0; i < 5; i++) await reader.dht.get("k");
  await reader.dht.store(
    { key: "k", value: 9, expiration: later(900) },
    { awaitAll: true },
  );
  assertEquals(values(await reader.dht.get("k")), 9);
});

Deno.test("who was told of a deletion as a replica does not answer from before it", async () => {
  const { peers, later } = setUp(6, undefined, { cache: {} });
  const [writer, reader] = peers.filter(({ dht, identity }) =>
    dht.replicasOf("k").includes(identity.peerId)
  ) as [Peer, Peer];
  const put = (subkey: string, life: number) =>
    writer.dht.store(
      { key: "k", subkey, value: subkey, expiration: later(life) },
      { awaitAll: true },
    );
  await put("a", 60);
  await put("b", 60);
  for (let i = 0; i < 5; i++) await reader.dht.get("k");
  assertEquals(values(await reader.dht.get("k")), ["a", "b"]);
  await writer.dht.delete("k", "a", { awaitAll: true });
  assertEquals(values(await reader.dht.get("k")), ["b"]);
  await put("c", 60);
  assertEquals(values(await reader.dht.get("k")), ["b", "c"]);
});

Deno.test("a read under way when its replica is told of a deletion is not kept", async () => {
  for (const latest of [false, true]) {
    const { peers, bus, clock, later } = setUp(6, undefined, { cache: {} });
    const replicas = peers[0]?.dht.replicasOf("k") ?? [];
    const [writer, reader] = peers.filter(({ identity }) =>
      replicas.includes(identity.peerId)
    ) as [Peer, Peer];
    const request = { key: "k", subkey: "a", value: 1, expiration: later(60) };
    await writer.dht.store(request, { awaitAll: true });
    for (let i = 0; i < 5; i++) await reader.dht.get("k");
    await clock.advance(5_000);
    // The others answer after ours has, as they did before the deletion.
    const others = replicas.filter((peer) => peer !== reader.identity.peerId);
    const early: Uint8Array<ArrayBuffer>[] = [];
    bus.tamper = (_peer, method, answer) => {
      if (method === "dht.find") early.push(answer);
      return answer;
    };
    for (const peer of others) bus.delays.set(peer, 30);
    const reading = reader.dht.get("k", { latest });
    await clock.advance(29);
    bus.delays.clear();
    await writer.dht.delete("k", "a", { awaitAll: true });
    bus.tamper = (_peer, method, answer) =>
      method === "dht.find" && early[0] !== undefined ? early[0] : answer;
    await timeTo(reading, clock);
    bus.tamper = (_peer, _method, answer) => answer;
    assertEquals(await reader.dht.get("k"), undefined);
  }
});

Deno.test("those who joined a read that is given up read once, together", async () => {
  const { reader, bus, clock, asked } = await reading(false);
  for (const id of reader.dht.replicasOf("k")) bus.delays.set(id, 20);
  const end = new AbortController();
  const first = reader.dht.get("k", { signal: end.signal })
    .catch((error: Error) => error.message);
  const others = Promise.all(
    Array.from({ length: 20 }, () => reader.dht.get("k")),
  );
  end.abort(new Error("enough"));
  assertEquals(await first, "enough");
  await clock.advance(100);
  assertEquals((await others).map(values), Array(20).fill(1));
  assertEquals(asked(), 2);
});

Deno.test("the cache keeps nothing that was not accepted, and nothing beyond its life", async () => {
  const { reader, bus, later, clock } = await reading();
  const forged = (expiration: number) => ({
    key: dhtId("k"),
    subkey: NO_SUBKEY,
    value: encode("forged"),
    expiration,
  });
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find"
      // Endless, beyond the longest life, and one that ends soon.
      ? encodeFound([[forged(1e300), forged(later(30 * 86_400))]])
      : answer;
  for (let i = 0; i < 6; i++) {
    assertEquals(await reader.dht.get("k"), undefined);
  }
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find" ? encodeFound([[forged(later(2))]]) : answer;
  for (let i = 0; i < 6; i++) await reader.dht.get("k");
  const asked = bus.askedFor("dht.find").length;
  assertEquals(values(await reader.dht.get("k")), "forged");
  assertEquals(bus.askedFor("dht.find").length, asked);
  bus.tamper = (_peer, method, answer) =>
    method === "dht.find" ? encodeFound([[]]) : answer;
  await clock.advance(2_500);
  assertEquals(await reader.dht.get("k"), undefined);
});

Deno.test("the cache is bounded by keys and by bytes", () => {
  const cache = new ReadCache(new VirtualClock(), {
    keys: 10,
    bytes: 4_000,
    hotAfter: 1,
  });
  const record = (size: number) => [{
    key: dhtId("k"),
    subkey: NO_SUBKEY,
    value: new Uint8Array(size),
    expiration: 1,
  }];
  for (let i = 0; i < 1_000; i++) {
    cache.get(`small-${i}`);
    cache.put(`small-${i}`, record(10));
  }
  assertEquals(cache.size, 10);
  for (let i = 0; i < 100; i++) {
    cache.get(`large-${i}`);
    cache.put(`large-${i}`, record(900));
  }
  assert(cache.size <= 4);
  cache.get("huge");
  cache.put("huge", record(2_000));
  assertEquals(cache.get("huge"), undefined);
});
