import type { Lan } from "./lan.ts";
import { Mesh, sleep } from "./mesh.ts";
import type { NodeProcess } from "./node_process.ts";
import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";

/** How a node that is cut off is watched. */
export interface CutOffSettings {
  readonly nodes: number;
  /** How long its packets are dropped, ms; on until it notices, if that takes longer. */
  readonly duration: number;
  readonly seed: number;
}

/** What became of it. All times are seconds. */
export interface CutOffResult {
  readonly settings: CutOffSettings;
  /** From the cut until it called itself isolated, and until all others missed it. */
  readonly isolatedAfter: number | undefined;
  readonly missedAfter: number | undefined;
  /** The states that it was in, in this order. */
  readonly states: readonly string[];
  /** From the end of the cut until it had one other again, all others, and they it. */
  readonly backAfter: number | undefined;
  readonly allAfter: number | undefined;
  readonly seenAfter: number | undefined;
  /** The share of records that it read then, and that others read of what it stored meanwhile. */
  readonly reads: number;
  readonly told: number;
}

const LOOK = 100;
/** How long each thing that is waited for may take, ms. */
const PATIENCE = 120_000;
const RECORDS = 50;

/** Cuts one of a few nodes off, and lets it back. */
export async function measureCutOff(
  lan: Lan,
  settings: CutOffSettings,
  say: (text: string) => void,
): Promise<CutOffResult> {
  const { nodes, duration, seed } = settings;
  const random = new SeededRandom(seed);
  say(`${nodes} processes start`);
  await using mesh = await Mesh.seeded(lan, nodes, random);
  const keys = await mesh.fill(RECORDS);
  const victim = mesh.nodes.at(-1) as NodeProcess;
  const others = mesh.nodes.slice(0, -1);
  const states: string[] = [];
  const look = async () => {
    const { network, members } = await victim.obey({ do: "status" });
    if (states.at(-1) !== network) states.push(network);
    const seen = await Promise.all(
      others.map((node) => node.obey({ do: "status" })),
    );
    const missing = seen.filter((each) => each.members < nodes - 1).length;
    return { network, members, missing };
  };
  /** Seconds until each of the conditions held first. */
  const watch = async (
    limit: number,
    conditions:
      readonly ((seen: Awaited<ReturnType<typeof look>>) => boolean)[],
    isOver: (times: readonly (number | undefined)[]) => boolean,
  ) => {
    const start = Date.now();
    const times = conditions.map((): number | undefined => undefined);
    while (Date.now() - start < limit && !isOver(times)) {
      const seen = await look();
      conditions.forEach((holds, i) => {
        if (holds(seen)) times[i] ??= (Date.now() - start) / 1_000;
      });
      await sleep(LOOK);
    }
    return times;
  };
  await look();
  say(`one of them is cut off for ${duration / 1_000} s`);
  await mesh.cut([victim]);
  const end = Date.now() + duration;
  const [isolatedAfter, missedAfter] = await watch(duration + PATIENCE, [
    ({ network }) => network === "isolated",
    ({ missing }) => missing === nodes - 1,
  ], (times) => Date.now() >= end && times.every((time) => time !== undefined));
  const own = Array.from({ length: RECORDS }, (_, i) => `alone ${i}`);
  if (isolatedAfter !== undefined) await victim.obey({ do: "fill", keys: own });
  await mesh.heal([victim]);
  say("it is let back");
  const [backAfter, allAfter, seenAfter] = await watch(PATIENCE, [
    ({ network, members }) => network === "joined" && members > 0,
    ({ members }) => members === nodes - 1,
    ({ missing }) => missing === 0,
  ], (times) => times.every((time) => time !== undefined));
  const share = async (node: NodeProcess, keys: readonly string[]) => {
    const samples = await node.obey({ do: "readAll", keys });
    return samples.filter(({ succeeded }) => succeeded).length / keys.length;
  };
  return {
    ...{ settings, isolatedAfter, missedAfter, states },
    ...{ backAfter, allAfter, seenAfter },
    reads: await share(victim, keys),
    told: isolatedAfter === undefined
      ? 1
      : await share(others[0] as NodeProcess, own),
  };
}
