import { dhtId, LocalStorage } from "../../../mod.ts";
import { REPAIR } from "../../../src/dht/repair/repairer.ts";
import {
  encodeCompareAnswers,
  encodeRangeAnswer,
} from "../../../src/dht/repair/repair_wire.ts";
import { Decoder } from "../../../src/records/decoder.ts";
import { SETTLING } from "../../../src/dht/repair/membership_watch.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type Peer, runAll, setUp, values } from "../fixture.ts";

const KEYS = Array.from({ length: 60 }, (_, i) => `key-${i}`);
/** Longer than any change takes to be followed. */
const FOLLOWED = SETTLING.joined + SETTLING.left + 2 * REPAIR.tick;

type Mesh = ReturnType<typeof setUp>;

const idOf = ({ identity }: Peer) => identity.peerId;

/** How many peers hold each key, and whether they are the ones that should. */
function placement(
  { peers, bus }: Mesh,
  holds: (p: Peer, k: string) => boolean,
) {
  const alive = peers.filter((peer) => !bus.dead.has(idOf(peer)));
  return KEYS.map((key) => {
    const replicas = alive[0]?.dht.replicasOf(key) ?? [];
    return alive.filter((peer) =>
      replicas.includes(idOf(peer)) && holds(peer, key)
    ).length;
  });
}

/** A mesh whose storages can be looked into. */
async function filled(count: number, life = 3_600) {
  const storages = new Map<string, LocalStorage>();
  const mesh = setUp(0);
  const { clock, later, peers } = mesh;
  const add = () => {
    const storage = new LocalStorage(() => clock.now() / 1000);
    const peer = mesh.add({ storage });
    storages.set(idOf(peer), storage);
    return peer;
  };
  for (let i = 0; i < count; i++) add();
  const holds = (peer: Peer, key: string) =>
    (storages.get(idOf(peer))?.held(dhtId(key)).length ?? 0) > 0;
  await peers[0]?.dht.storeMany(
    KEYS.map((key) => ({ key, value: key, expiration: later(life) })),
    { awaitAll: true },
  );
  mesh.bus.calls.length = 0;
  return { ...mesh, add, storages, holds };
}

Deno.test("who joins is handed the records it should hold, each by one holder", async () => {
  const mesh = await filled(12);
  const { bus, clock, peers, add, holds } = mesh;
  await using background = runAll(peers);
  await clock.advance(FOLLOWED);
  bus.calls.length = 0;
  const newcomer = add();
  background.add(newcomer);
  await clock.advance(FOLLOWED);
  assertEquals(placement(mesh, holds), KEYS.map(() => 5));
  const wanted = KEYS.filter((key) =>
    newcomer.dht.replicasOf(key).includes(idOf(newcomer))
  );
  const copies = peers.reduce(
    (sum, { metrics }) => sum + metrics.sum("meshnode_dht_copies_total"),
    0,
  );
  assertEquals(copies, wanted.length);
  assertEquals(
    new Set(bus.askedFor("dht.copy")),
    new Set(wanted.length > 0 ? [idOf(newcomer)] : []),
  );
});

Deno.test("when holders die, the next nearest get copies, and each only one", async () => {
  const mesh = await filled(14);
  const { bus, clock, peers, holds } = mesh;
  await using _background = runAll(peers);
  await clock.advance(FOLLOWED);
  for (const victim of peers.slice(0, 3)) bus.dead.add(idOf(victim));
  const before = placement(mesh, holds);
  await clock.advance(FOLLOWED);
  assertEquals(placement(mesh, holds), KEYS.map(() => 5));
  const missing = before.reduce((sum, count) => sum + 5 - count, 0);
  const copies = peers.reduce(
    (sum, { metrics }) => sum + metrics.sum("meshnode_dht_copies_total"),
    0,
  );
  assertEquals(copies, missing);
});

Deno.test("a peer that is away for a moment costs nothing but a comparison", async () => {
  const mesh = await filled(10);
  const { bus, clock, peers, at } = mesh;
  await using _background = runAll(peers);
  await clock.advance(FOLLOWED);
  bus.calls.length = 0;
  bus.dead.add(idOf(at(4)));
  await clock.advance(SETTLING.left / 2);
  bus.dead.delete(idOf(at(4)));
  await clock.advance(FOLLOWED);
  assertEquals(bus.askedFor("dht.copy"), []);
  assert(bus.askedFor("dht.compare").includes(idOf(at(4))));
});

Deno.test("who was away gets what was stored meanwhile", async () => {
  const mesh = await filled(10);
  const { bus, clock, peers, at, later, storages } = mesh;
  await using _background = runAll(peers);
  await clock.advance(FOLLOWED);
  const [key] = KEYS as [string];
  const replica = peers.slice(1).find((peer) =>
    at(0).dht.replicasOf(key).includes(idOf(peer))
  ) as Peer;
  const expiration = later(4_000);
  bus.dead.add(idOf(replica));
  await clock.advance(2 * REPAIR.tick);
  await at(0).dht.store({ key, value: "newer", expiration });
  bus.dead.delete(idOf(replica));
  await clock.advance(FOLLOWED);
  const [held] = storages.get(idOf(replica))?.held(dhtId(key)) ?? [];
  assertEquals(held?.expiration, expiration);
});

Deno.test("a sweep finds what a replica lost, and moves nothing else", async () => {
  const mesh = await filled(8);
  const { bus, clock, peers, storages, add, holds, at } = mesh;
  assert(add);
  {
    await using _background = runAll(peers);
    await clock.advance(FOLLOWED + 2 * REPAIR.firstSweep);
    bus.calls.length = 0;
    await clock.advance(2 * REPAIR.lastSweep);
    assert(bus.askedFor("dht.range").length > 0, "sweeps go on");
    assertEquals(bus.askedFor("dht.compare"), []);
    assertEquals(bus.askedFor("dht.copy"), []);
  }
  // One replica missed a store, and nobody noticed.
  const [key] = KEYS as [string];
  const [writer, ...others] = at(0).dht.replicasOf(key) as [string, string];
  bus.refuse = (to, method) => to === others[0] && method !== "dht.range";
  const by = peers.find((peer) => idOf(peer) === writer) as Peer;
  const expiration = clock.now() / 1000 + 60_000;
  await by.dht.store({ key, value: "newest", expiration }, { awaitAll: true });
  bus.refuse = () => false;
  const held = () => storages.get(others[0] as string)?.held(dhtId(key))[0];
  assert(held()?.expiration !== expiration);
  bus.calls.length = 0;
  {
    await using _background = runAll(peers);
    await clock.advance(2 * REPAIR.lastSweep);
  }
  assertEquals(held()?.expiration, expiration);
  assertEquals(bus.askedFor("dht.copy").length, 1);
  assert(holds(by, key));
});

Deno.test("a neighbour that claims to lack everything, again and again, does not keep the others at work", async () => {
  const mesh = await filled(8, 100_000);
  const { bus, clock, peers, at } = mesh;
  const liar = idOf(at(3));
  bus.tamper = (peer, method, answer) => {
    if (peer !== liar) return answer;
    if (method === "dht.range") return encodeRangeAnswer(false);
    if (method !== "dht.compare") return answer;
    const keys = new Decoder(answer).arrayHead();
    return encodeCompareAnswers(Array(keys).fill([]));
  };
  await using _background = runAll(peers);
  await clock.advance(FOLLOWED + 8 * REPAIR.lastSweep);
  bus.calls.length = 0;
  await clock.advance(4 * REPAIR.lastSweep);
  const asked = bus.askedFor("dht.range").filter((peer) => peer === liar);
  assert(asked.length > 0 && asked.length <= 7 * 6, `${asked.length} ranges`);
});

Deno.test("a peer that comes and goes without end puts no sweep off", async () => {
  const mesh = await filled(8);
  const { bus, clock, peers, storages, at } = mesh;
  const [key] = KEYS as [string];
  const replicas = at(0).dht.replicasOf(key);
  const [writer, other] = replicas as [string, string];
  const by = peers.find((peer) => idOf(peer) === writer) as Peer;
  const restless = peers.find((peer) => !replicas.includes(idOf(peer))) as Peer;
  const comeAndGo = async () => {
    bus.dead.add(idOf(restless));
    await clock.advance(SETTLING.left + 2 * REPAIR.tick);
    bus.dead.delete(idOf(restless));
    await clock.advance(SETTLING.joined + 2 * REPAIR.tick);
  };
  await using _background = runAll(peers);
  for (let i = 0; i < 4; i++) await comeAndGo();
  const expiration = clock.now() / 1000 + 60_000;
  bus.refuse = (to, method) =>
    method === "dht.store" && (to === other || !replicas.includes(to));
  await by.dht.store({ key, value: "newest", expiration }, { awaitAll: true });
  for (let i = 0; i < 10; i++) await comeAndGo();
  const [held] = storages.get(other)?.held(dhtId(key)) ?? [];
  assertEquals(held?.expiration, expiration);
});

Deno.test("copies expire with the record, everywhere at the same time", async () => {
  const mesh = await filled(9, 120);
  const { bus, clock, peers, at, add } = mesh;
  await using background = runAll(peers);
  for (const victim of peers.slice(5, 8)) bus.dead.add(idOf(victim));
  background.add(add());
  await clock.advance(3 * FOLLOWED);
  assertEquals(values(await at(0).dht.get("key-3")), "key-3");
  await clock.advance(120_000 - 3 * FOLLOWED + 1_000);
  for (const { dht } of peers) {
    assertEquals(dht.records, 0);
    assertEquals(await dht.get("key-3"), undefined);
  }
});

Deno.test("two halves that were apart have the newest of both once they meet", async () => {
  const mesh = await filled(16);
  const { bus, clock, peers, later } = mesh;
  const side = (id: string) => peers.findIndex((peer) => idOf(peer) === id) % 2;
  bus.divide = (from, to) => side(from) !== side(to);
  await using _background = runAll(peers);
  await clock.advance(2 * FOLLOWED);
  const expirations = KEYS.map((_, i) => later(5_000 + i));
  for (const [i, key] of KEYS.entries()) {
    const writer = peers[i % 2] as Peer;
    await writer.dht.store({
      key,
      value: `${key} by ${i % 2}`,
      expiration: expirations[i] as number,
    });
  }
  bus.divide = () => false;
  await clock.advance(60_000);
  for (const [i, key] of KEYS.entries()) {
    for (const peer of peers) {
      assertEquals(values(await peer.dht.get(key)), `${key} by ${i % 2}`);
    }
  }
});
