import { LocalStorage, SqliteTable } from "../../../mod.ts";
import { MemoryMesh } from "./memory_mesh.ts";
import { type Latency, latency, median } from "./statistics.ts";

/** What was measured with one kind of storage. */
export interface StoreResult {
  readonly put: Latency;
  readonly get: Latency;
  /** Per second with 16 in flight. */
  readonly putRate: number;
}

/** Records in memory against records in a SQLite file. */
export interface StoresResult {
  readonly memory: StoreResult;
  readonly disk: StoreResult;
}

const NODES = 16;
const IN_FLIGHT = 16;

/** Measures both. */
export async function measureStores(
  rounds: number,
  operations: number,
): Promise<StoresResult> {
  const memory = await measure(new MemoryMesh(NODES), rounds, operations);
  const folder = await Deno.makeTempDir();
  const now = () => Date.now() / 1000;
  const tables = Array.from(
    { length: NODES },
    (_, i) => SqliteTable.open(`${folder}/${i}.db`),
  );
  try {
    const mesh = new MemoryMesh(
      NODES,
      (i) => new LocalStorage(now, { table: tables[i] as SqliteTable }),
    );
    const disk = await measure(mesh, rounds, operations);
    return { memory, disk };
  } finally {
    for (const table of tables) await table.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(
  mesh: MemoryMesh,
  rounds: number,
  operations: number,
): Promise<StoreResult> {
  const puts: number[][] = [];
  const gets: number[][] = [];
  const rates: number[] = [];
  const put = async (key: string, i: number) => {
    const node = mesh.at(i);
    await node.dht.store(mesh.request(node, key));
  };
  const timed = async (act: (i: number) => Promise<unknown>) => {
    const times: number[] = [];
    for (let i = 0; i < operations; i++) {
      const start = performance.now();
      await act(i);
      times.push(performance.now() - start);
    }
    return times;
  };
  for (let round = -1; round < rounds; round++) {
    const one = await timed((i) => put(`${round} ${i}`, i));
    const read = await timed((i) => mesh.at(i + 5).dht.get(`${round} ${i}`));
    const queue = Array.from({ length: operations }).keys();
    const start = performance.now();
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      for (const i of queue) await put(`many ${round} ${i}`, i);
    }));
    const rate = 1000 * operations / (performance.now() - start);
    if (round < 0) continue;
    puts.push(one);
    gets.push(read);
    rates.push(rate);
  }
  await mesh.stop();
  return { put: latency(puts), get: latency(gets), putRate: median(rates) };
}
