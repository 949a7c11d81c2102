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

/**
 * Writers who expect the same while a minority is cut off at any moment, and
 * let back in. Gives what they were told, and what every replica holds at last.
 */
async function race(seed: number, writers: number) {
  const mesh = new ChaosMesh(7, seed);
  await using _mesh = mesh;
  const { clock, random, network } = mesh;
  const now = () => clock.now() / 1_000;
  const [first, ...others] = random.sample(mesh.nodes, writers + 1) as [
    ChaosNode,
    ...ChaosNode[],
  ];
  const expiration = now() + 600;
  const initial = { key: KEY, subkey: SUBKEY, value: 0, expiration };
  await clock.run(first.dht.store(initial, { awaitAll: true }));
  await clock.advance(2_000);
  const { digest } = await read(mesh, first);
  const writing = others.map(async (writer, i) => {
    await clock.sleep(random.between(0, 15));
    const life = random.between(700, 800);
    return await write(writer, i + 1, digest, now() + life);
  });
  await clock.advance(random.between(0, 35));
  const replicas = first.dht.replicasOf(KEY);
  const minority = [
    ...random.sample(replicas, 1 + random.below(2)),
    // With a writer among them, as often as not.
    ...random.sample(others.map(({ peerId }) => peerId), random.below(2)),
  ];
  network.partition(
    minority,
    mesh.peerIds.filter((peer) => !minority.includes(peer)),
  );
  await clock.advance(random.between(10, 40_000));
  network.heal();
  const told = await clock.run(Promise.all(writing));
  await clock.advance(240_000);
  const held = mesh.nodes
    .filter(({ peerId }) => first.dht.replicasOf(KEY).includes(peerId))
    .map(({ storage }) =>
      storage.held(dhtId(KEY)).map(({ value }) => value.toHex()).join()
    );
  const { value } = await read(mesh, mesh.any());
  return { told, held: new Set(held), replicas: held.length, value };
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
