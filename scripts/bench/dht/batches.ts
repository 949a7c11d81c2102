import { MemoryMesh } from "./memory_mesh.ts";
import { latency, median } from "./statistics.ts";

/** What was measured, ms. */
export interface BatchResult {
  readonly nodes: number;
  readonly keys: number;
  /** A whole batch, divided by its keys. */
  readonly putPerKey: number;
  readonly getPerKey: number;
  readonly correct: number;
}

/** Many keys in one call of the library, at nodes in memory. */
export async function measureBatches(
  nodes: number,
  keys: number,
  rounds: number,
): Promise<BatchResult> {
  const mesh = new MemoryMesh(nodes);
  const puts: number[] = [];
  const gets: number[] = [];
  let correct = 0;
  // The first rounds open streams and are not counted.
  for (let round = -2; round < rounds; round++) {
    const names = Array.from({ length: keys }, (_, i) => `${round} ${i}`);
    const owner = mesh.at(7 * (round + 2));
    let start = performance.now();
    const results = await owner.dht.storeMany(
      names.map((name) => mesh.request(owner, name)),
    );
    const put = performance.now() - start;
    if (results.some(({ stored }) => !stored)) {
      throw new Error("A record of a batch was not stored.");
    }
    const reader = mesh.at(7 * (round + 2) + 100);
    start = performance.now();
    const found = await reader.dht.getMany(names);
    const get = performance.now() - start;
    if (round < 0) continue;
    puts.push(put / keys);
    gets.push(get / keys);
    correct += found.filter((each) => each?.kind === "dictionary").length;
  }
  await mesh.stop();
  return {
    nodes,
    keys,
    putPerKey: median(puts),
    getPerKey: median(gets),
    correct: correct / (keys * rounds),
  };
}

/** Many owners under one key, all read by one get. */
export interface OwnersResult {
  readonly owners: number;
  readonly p50: number;
  readonly p99: number;
  /** The share of gets that gave every owner's value. */
  readonly complete: number;
}

/** 64 owners and one reader, in memory. */
export async function measureOwners(
  owners: number,
  rounds: number,
  reads: number,
): Promise<OwnersResult> {
  const mesh = new MemoryMesh(owners);
  const times: number[][] = [];
  let complete = 0;
  for (let round = -1; round < rounds; round++) {
    const key = `owners ${round}`;
    await Promise.all(
      mesh.nodes.map((node) => node.dht.store(mesh.request(node, key))),
    );
    const took: number[] = [];
    for (let i = 0; i < reads; i++) {
      const reader = mesh.at(11 * i + round + 1);
      const start = performance.now();
      const found = await reader.dht.get(key);
      took.push(performance.now() - start);
      const whole = found?.kind === "dictionary" &&
        found.entries.length === owners;
      if (whole && round >= 0) complete++;
    }
    if (round >= 0) times.push(took);
  }
  await mesh.stop();
  return {
    owners,
    ...latency(times),
    complete: complete / (rounds * reads),
  };
}
