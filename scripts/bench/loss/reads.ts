import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import { quantile } from "../dht/statistics.ts";
import type { Lan } from "./lan.ts";
import { Mesh, sleep } from "./mesh.ts";
import type { NodeProcess } from "./node_process.ts";
import type { Sample } from "./orders.ts";

/** What is done to some of the nodes. */
export type Harm = "killed" | "black-holed";

/** How reads under loss are measured. */
export interface ReadSettings {
  readonly nodes: number;
  /** The share of them that is hurt. */
  readonly share: number;
  readonly records: number;
  /** Nodes that read. */
  readonly readers: number;
  /** Between two gets of a reader, ms. */
  readonly pause: number;
  /** How long is read before and after the harm, ms. */
  readonly before: number;
  readonly after: number;
  readonly seed: number;
}

/** Times of gets. */
export interface GetTimes {
  readonly gets: number;
  /** The share that succeeded. */
  readonly found: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What was measured. */
export interface ReadsResult {
  readonly harm: Harm;
  readonly settings: ReadSettings;
  readonly hurt: number;
  /** Records all of whose replicas were hurt, which nobody asked for. */
  readonly gone: number;
  readonly calm: GetTimes;
  /** From the moment of the harm on. */
  readonly loss: GetTimes;
  /** Within the first second of it, and within the fifth. */
  readonly firstSecond: GetTimes;
  readonly fifthSecond: GetTimes;
  /** The slowest gets and their calls. */
  readonly slowest: readonly Sample[];
}

/** Reads all the while, and hurts a part of the nodes. */
export async function measureReads(
  lan: Lan,
  harm: Harm,
  settings: ReadSettings,
  say: (text: string) => void,
): Promise<ReadsResult> {
  const { nodes, share, records, readers, before, after, seed } = settings;
  const random = new SeededRandom(seed);
  say(`${nodes} processes start`);
  await using mesh = await Mesh.seeded(lan, nodes, random);
  const keys = await mesh.fill(records);
  const victims = random.sample(mesh.nodes, Math.round(share * nodes));
  const others = mesh.nodes.filter((node) => !victims.includes(node));
  const asked = await withLiveReplica(keys, others[0] as NodeProcess, victims);
  say(`${victims.length} will be ${harm}`);
  const reading = Promise.all(
    random.sample(others, readers).map((node, i) =>
      node.obey({
        do: "read",
        keys: asked,
        duration: before + after,
        pause: settings.pause,
        seed: seed + i,
      })
    ),
  );
  await sleep(before);
  const moment = Date.now();
  if (harm === "killed") mesh.kill(victims);
  else await mesh.cut(victims);
  const samples = (await reading).flat();
  if (harm === "black-holed") await mesh.heal(victims);
  const since = (from: number, to = Infinity) =>
    timesOf(
      samples.filter(({ start }) =>
        start >= moment + from && start < moment + to
      ),
    );
  return {
    harm,
    settings,
    hurt: victims.length,
    gone: keys.length - asked.length,
    calm: timesOf(
      samples.filter(({ start, milliseconds }) =>
        start + milliseconds < moment
      ),
    ),
    // Those that were under way count as well.
    loss: timesOf(
      samples.filter(({ start, milliseconds }) =>
        start + milliseconds >= moment
      ),
    ),
    firstSecond: since(0, 1_000),
    fifthSecond: since(4_000, 5_000),
    slowest: samples.filter(({ start, milliseconds }) =>
      start + milliseconds >= moment
    ).sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 10)
      .map((each) => ({ ...each, start: each.start - moment })),
  };
}

/** The keys of which some replica is not hurt. */
async function withLiveReplica(
  keys: readonly string[],
  node: NodeProcess,
  victims: readonly NodeProcess[],
): Promise<string[]> {
  const hurt = new Set(victims.map(({ peerId }) => peerId));
  const replicas = await node.obey({ do: "replicas", keys });
  return keys.filter((_, i) => replicas[i]?.some((peer) => !hurt.has(peer)));
}

/** The times of some gets. */
export function timesOf(samples: readonly Sample[]): GetTimes {
  const times = samples.map(({ milliseconds }) => milliseconds);
  return {
    gets: samples.length,
    found: samples.filter(({ succeeded }) => succeeded).length / samples.length,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    max: Math.max(...times),
  };
}
