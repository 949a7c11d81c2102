import { dhtId, StoreError } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { ChaosMesh, type ChaosNode } from "./mesh.ts";
import { SEED, SIZE } from "./size.ts";

/** Worlds of each test. */
const WORLDS = SIZE.nodes < 64 ? 60 : 2_000;
const KEY = "k";
const SUBKEY = "lock";

/** What a writer was told: that it succeeded, or the code of its error. */
type Told = { readonly value: number; readonly told: string };

async function write(
  { dht }: ChaosNode,
  value: number,
  expected: Uint8Array | null,
  expiration: number,
): Promise<Told> {
  const request = { key: KEY, subkey: SUBKEY, value, expiration };
  try {
    await dht.storeIf(request, expected);
    return { value, told: "stored" };
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    return { value, told: error.code };
  }
}

/** What is under the key with its digest, as one node reads it. */
async function read(mesh: ChaosMesh, { dht }: ChaosNode) {
  const found = await mesh.clock.run(
    dht.get(KEY, { latest: true, digests: true }),
  );
  assert(found?.kind === "dictionary", "it is lost");
  const [entry] = found.entries;
  assert(entry?.digest !== undefined);
  return { value: entry.value as number, digest: entry.digest };
}

/** A mesh with a value under the key that all replicas hold, and writers who expect it. */
async function writing(seed: number, writers: number) {
  const mesh = new ChaosMesh(7, seed);
  const { clock, random } = mesh;
  const now = () => clock.now() / 1_000;
  const [first, ...others] = random.sample(mesh.nodes, writers + 1) as [
    ChaosNode,
    ...ChaosNode[],
  ];
  const initial = {
    ...{ key: KEY, subkey: SUBKEY, value: 0 },
    expiration: now() + 600,
  };
  await clock.run(first.dht.store(initial, { awaitAll: true }));
  await clock.advance(2_000);
  const { digest } = await read(mesh, first);
  const told = others.map(async (writer, i) => {
    await clock.sleep(random.between(0, 15));
    const life = random.between(700, 800);
    return await write(writer, i + 1, digest, now() + life);
  });
  return { mesh, first, others, told };
}

/** What each replica holds, without repetition, and what is read, once repair had its time. */
async function settled(mesh: ChaosMesh) {
  await mesh.clock.advance(240_000);
  const replicas = mesh.any().dht.replicasOf(KEY);
  const held = mesh.nodes
    .filter(({ peerId }) => replicas.includes(peerId))
    .map(({ storage }) =>
      storage.held(dhtId(KEY)).map(({ value }) => value.toHex()).join()
    );
  const { value } = await read(mesh, mesh.any());
  return { replicas: held.length, held: new Set(held), value };
}

/**
 * Writers who expect the same while a minority is cut off at any moment, and
 * let back in. Gives what they were told, and what every replica holds at last.
 */
async function race(seed: number, writers: number) {
  const { mesh, first, others, told } = await writing(seed, writers);
  await using _mesh = mesh;
  const { clock, random, network } = mesh;
  await clock.advance(random.between(0, 35));
  const minority = [
    ...random.sample(first.dht.replicasOf(KEY), 1 + random.below(2)),
    // With a writer among them, as often as not.
    ...random.sample(others.map(({ peerId }) => peerId), random.below(2)),
  ];
  network.partition(
    minority,
    mesh.peerIds.filter((peer) => !minority.includes(peer)),
  );
  await clock.advance(random.between(10, 40_000));
  network.heal();
  const answers = await clock.run(Promise.all(told));
  return { told: answers, ...await settled(mesh) };
}

for (const writers of [2, 4]) {
  Deno.test(`of ${writers} writers who expect the same, whoever is cut off meanwhile, the one who succeeds is who all replicas end with`, async () => {
    const outcomes = new Map<string, number>();
    for (let world = 0; world < WORLDS; world++) {
      const seed = 100_000 * SEED + 10 * world + writers;
      const { told, held, replicas, value } = await race(seed, writers);
      const story = `seed ${seed}: ${JSON.stringify(told)}, then ${value}`;
      for (const each of told) {
        outcomes.set(each.told, (outcomes.get(each.told) ?? 0) + 1);
      }
      assertEquals([replicas, held.size], [5, 1], story);
      const winners = told.filter((each) => each.told === "stored");
      assert(winners.length <= 1, story);
      const uncertain = told.some((each) => each.told === "STORE_UNCERTAIN");
      if (!uncertain) assertEquals(value, winners[0]?.value ?? 0, story);
      const failed = told.filter((each) =>
        each.told === "STORE_CONFLICT" || each.told === "STORE_BELOW_QUORUM"
      );
      assert(!failed.some((each) => each.value === value), story);
    }
    // All of it happens, and what cannot be told is rare.
    assert((outcomes.get("stored") ?? 0) > WORLDS / 2);
    assert((outcomes.get("STORE_CONFLICT") ?? 0) > 0);
    assert((outcomes.get("STORE_UNCERTAIN") ?? 0) < WORLDS / 5);
  });
}

Deno.test("of writers one of whom dies at any moment, all replicas end with one value", async () => {
  let theirs = 0;
  for (let world = 0; world < WORLDS; world++) {
    const seed = 100_000 * SEED + 10 * world;
    const { mesh, others, told } = await writing(seed, 2);
    await using _mesh = mesh;
    const { clock, random } = mesh;
    await clock.advance(random.between(0, 35));
    mesh.kill(others[0]?.peerId as string);
    const [, other] = await clock.run(Promise.all(told));
    const { replicas, held, value } = await settled(mesh);
    const story = `seed ${seed}: ${JSON.stringify(other)}, then ${value}`;
    assertEquals([replicas, held.size], [5, 1], story);
    // Who dies while replicas store leaves it to them.
    const possible = other?.told === "stored" ? [1, 2] : [0, 1];
    assert(possible.includes(value), story);
    if (other?.told === "stored" && value === 1) theirs++;
  }
  assert(theirs < WORLDS / 20, `${theirs} times the dead one prevailed`);
});
