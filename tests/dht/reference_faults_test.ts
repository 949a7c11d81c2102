// What the Mesh Template's DHT could be made to do; each of it fails here. Its
// other faults are tried where the parts are tested that they would be in.
import { dhtId, type DhtRecord, encode, NO_SUBKEY } from "../../mod.ts";
import { PATIENCE } from "../../src/dht/peer_book.ts";
import { SETTLING } from "../../src/dht/repair/membership_watch.ts";
import {
  decodeStoreAnswers,
  encodeFound,
  encodeStore,
} from "../../src/dht/wire.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { type Peer, runAll, setUp, values } from "./fixture.ts";

const idOf = ({ identity }: Peer) => identity.peerId;

/** A record under "k", signed by its owner. */
function record(
  { signature }: Peer,
  value: string,
  expiration: number,
): DhtRecord {
  const plain = {
    key: dhtId("k"),
    subkey: encode(signature.ownerMarker),
    value: encode(value),
    expiration,
  };
  return { ...plain, value: signature.signValue(plain) };
}

/** Bytes in which a float became another one. */
function withFloat(body: Uint8Array, is: number, becomes: number): Uint8Array {
  const hex = (value: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return bytes.toHex();
  };
  assert(body.toHex().includes(hex(is)));
  return Uint8Array.fromHex(body.toHex().replace(hex(is), hex(becomes)));
}

Deno.test("a replayed older record does not shorten the life of the newer one, at any replica", async () => {
  const { bus, at, peers, later, clock } = setUp(7);
  const owner = at(0);
  const replicas = owner.dht.replicasOf("k");
  const send = async (each: DhtRecord) => {
    const body = encodeStore([each]);
    const answers = replicas.map((peer) => bus.raw(peer, "dht.store", body));
    return (await Promise.all(answers))
      .flatMap((answer) => decodeStoreAnswers(answer, 1));
  };
  const old = record(owner, "old", later(60));
  assertEquals(await send(old), replicas.map(() => "stored"));
  const young = record(owner, "new", later(600));
  assertEquals(await send(young), replicas.map(() => "stored"));
  assertEquals(await send(old), replicas.map(() => "older"));
  for (const seconds of [0, 61, 530]) {
    await clock.advance(1_000 * seconds);
    for (const { dht } of peers) {
      assertEquals(values(await dht.get("k")), ["new"]);
    }
  }
  await clock.advance(10_000);
  for (const { dht } of peers) assertEquals(await dht.get("k"), undefined);
});

Deno.test("a record whose end is no time is refused, and keeps no other from its end", async () => {
  const { bus, at, later, clock } = setUp(1);
  const node = at(0);
  const until = later(60) + 0.5;
  const poison = encodeStore([{
    ...{ key: dhtId("poison"), subkey: NO_SUBKEY, value: encode(1) },
    expiration: until,
  }]);
  for (const wrong of [NaN, Infinity, -Infinity]) {
    await assertRejects(
      bus.raw(idOf(node), "dht.store", withFloat(poison, until, wrong)),
      { name: "DecodeError" },
    );
  }
  for (let i = 0; i < 20; i++) {
    await node.dht.store({ key: i, value: i, expiration: later(10 + i) });
  }
  await clock.advance(20_500);
  for (let i = 0; i < 20; i++) {
    const isOver = i < 11;
    assertEquals(values(await node.dht.get(i)), isOver ? undefined : i);
  }
  await clock.advance(20_000);
  assertEquals(node.dht.records, 0);
});

Deno.test("an empty answer, or one that claims to outlive all others, ends no search for the latest", async () => {
  const { bus, at, peers, later } = setUp(9);
  const owner = at(0);
  await owner.dht.store({
    key: "k",
    subkey: owner.signature.ownerMarker,
    value: "true",
    expiration: later(60),
  }, { awaitAll: true });
  const [first, second] = owner.dht.replicasOf("k");
  const claims: DhtRecord = {
    ...record(owner, "false", later(60)),
    expiration: 1e300,
  };
  bus.tamper = (peer, method, answer) =>
    method !== "dht.find"
      ? answer
      : peer === first
      ? encodeFound([[]])
      : peer === second
      ? encodeFound([[claims]])
      : answer;
  for (const { dht } of peers) {
    assertEquals(values(await dht.latest("k")), ["true"]);
    // Nor is anything of it remembered.
    assertEquals(values(await dht.get("k")), ["true"]);
  }
});

Deno.test("one call that is lost takes no peer its place: it is asked again, and stored at", async () => {
  const { bus, at, peers, later, clock } = setUp(12);
  await using _running = runAll(peers);
  const writer = at(0);
  const before = writer.dht.replicasOf("k");
  const lost = before.find((peer) => peer !== idOf(writer)) as string;
  bus.silent.add(lost);
  const put = (value: number) =>
    writer.dht.store(
      { key: "k", value, expiration: later(600 + value) },
      { awaitAll: true },
    );
  const storing = put(1);
  await clock.advance(PATIENCE.firstTimeout);
  const outcomes = new Map(
    (await storing).replicas.map(({ peerId, outcome }) => [peerId, outcome]),
  );
  assertEquals(outcomes.get(lost), "unreachable");
  bus.silent.clear();
  assertEquals(writer.dht.replicasOf("k"), before);
  await clock.advance(PATIENCE.lastProbe);
  const again = (await put(2)).replicas
    .find(({ peerId }) => peerId === lost);
  assertEquals(again?.outcome, "stored");
});

Deno.test("work in the background goes on after failures of every kind", async () => {
  const { bus, at, peers, later, clock } = setUp(8);
  await using _running = runAll(peers);
  // Nobody can be called, then all answer nonsense, then nobody answers.
  const faults: (() => void)[] = [
    () => bus.refuse = () => true,
    () => bus.tamper = () => new Uint8Array([0xc1]),
    () => peers.forEach((peer) => bus.silent.add(idOf(peer))),
  ];
  for (const begin of faults) {
    begin();
    await clock.advance(60_000);
    bus.refuse = () => false;
    bus.tamper = (_peer, _method, answer) => answer;
    bus.silent.clear();
  }
  await clock.advance(2 * PATIENCE.lastProbe);
  // The silent were probed: nobody is left out of a store.
  const { replicas } = await at(0).dht.store(
    { key: "k", value: 1, expiration: later(3_600) },
    { awaitAll: true },
  );
  assertEquals(replicas.map(({ outcome }) => outcome), [
    ...["stored", "stored", "stored", "stored", "stored"],
  ]);
  // And copies are made for those who are gone.
  const gone = replicas.slice(0, 2).map(({ peerId }) => peerId);
  gone.forEach((peer) => bus.dead.add(peer));
  await clock.advance(SETTLING.left + 60_000);
  const left = peers.filter((peer) => !gone.includes(idOf(peer)));
  const holders = left.filter(({ dht }) => dht.records === 1);
  assertEquals(holders.length, 5);
});
