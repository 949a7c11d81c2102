import { MemoryMesh } from "./memory_mesh.ts";
import { latency, median } from "./statistics.ts";

/** What one operation costs in a mesh of some size. */
export interface CurvePoint {
  readonly nodes: number;
  readonly put: OperationCost;
  readonly get: OperationCost;
}

/** Of one operation. */
export interface OperationCost {
  readonly p50: number;
  readonly p99: number;
  /** Frames, requests and answers. */
  readonly messages: number;
  /** Bytes of the frames. */
  readonly bytes: number;
}

/** One round of operations. */
interface Sample {
  readonly times: readonly number[];
  readonly messages: number;
  readonly bytes: number;
}

/** Measures a put and a get in meshes of growing size, all in memory. */
export async function measureCurve(
  sizes: readonly number[],
  rounds: number,
  operations: number,
  say: (text: string) => void,
): Promise<CurvePoint[]> {
  const points: CurvePoint[] = [];
  for (const nodes of sizes) {
    say(`cost with ${nodes} nodes`);
    points.push(await measurePoint(nodes, rounds, operations));
  }
  return points;
}

async function measurePoint(
  nodes: number,
  rounds: number,
  operations: number,
): Promise<CurvePoint> {
  const mesh = new MemoryMesh(nodes);
  // A few writers and readers, whose streams the first round opens.
  const callers = Math.min(nodes, 8);
  const act = async (
    round: number,
    operation: (caller: number, key: string) => Promise<void>,
  ) => {
    const before = { ...mesh.traffic };
    const times: number[] = [];
    for (let i = 0; i < operations; i++) {
      const start = performance.now();
      await operation(i % callers, `${round} ${i}`);
      times.push(performance.now() - start);
    }
    // What goes on after an answer belongs to its operation, too.
    await new Promise((resolve) => setTimeout(resolve, 50));
    return {
      times,
      messages: (mesh.traffic.messages - before.messages) / operations,
      bytes: (mesh.traffic.bytes - before.bytes) / operations,
    };
  };
  const puts: Sample[] = [];
  const gets: Sample[] = [];
  for (let round = -1; round < rounds; round++) {
    const put = await act(round, async (caller, key) => {
      const node = mesh.at(caller);
      await node.dht.store(mesh.request(node, key));
    });
    const get = await act(round, async (caller, key) => {
      const found = await mesh.at(caller + 1).dht.get(key);
      if (found === undefined) throw new Error(`${key} was not found.`);
    });
    if (round < 0) continue;
    puts.push(put);
    gets.push(get);
  }
  await mesh.stop();
  const summary = (samples: readonly Sample[]): OperationCost => ({
    ...latency(samples.map(({ times }) => times)),
    messages: median(samples.map(({ messages }) => messages)),
    bytes: median(samples.map(({ bytes }) => bytes)),
  });
  return { nodes, put: summary(puts), get: summary(gets) };
}
