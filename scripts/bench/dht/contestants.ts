import { V8_FLAGS } from "../../../src/cli/v8_flags.ts";
import { installPackages } from "./install.ts";
import {
  type Contestant,
  CONTESTANTS,
  type ContestResult,
  type ContestSettings,
} from "./swarm.ts";
import { short, table } from "./table.ts";

const NAMES = Object.keys(CONTESTANTS) as Contestant[];
/** A contestant that takes longer than its rounds should, plus this, is stopped; seconds. */
const GRACE = 120;
/** A network of its own, so that the loopback device counts nothing else. */
const ISOLATED = [
  "unshare",
  "--net",
  "sh",
  "-c",
  'ip link set lo up && exec "$@"',
  "sh",
];

/** A contestant that could not be measured, and why. */
export interface Missing {
  readonly name: Contestant;
  readonly reason: string;
}

/** What the contest gave. */
export interface Contestants {
  readonly results: readonly ContestResult[];
  readonly missing: readonly Missing[];
  /** Whether bytes and packets are those of the contestant alone. */
  readonly isolated: boolean;
}

/** Measures all contestants, one after the other, each in a process of its own. */
export async function measureContestants(
  settings: ContestSettings,
  folder: string,
  say: (text: string) => void,
): Promise<Contestants> {
  const isolated = await canIsolate();
  if (!isolated) {
    say("No network namespaces: other traffic on loopback is counted, too.");
  }
  const results: ContestResult[] = [];
  const missing: Missing[] = [];
  for (const name of NAMES) {
    say(`${name} starts`);
    try {
      const program = await programOf(name, settings, folder);
      const command = isolated ? [...ISOLATED, ...program] : program;
      results.push(await run(command, settings.limit + GRACE));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      say(`${name} is left out: ${reason}`);
      missing.push({ name, reason });
    }
  }
  return { results, missing, isolated };
}

async function programOf(
  name: Contestant,
  settings: ContestSettings,
  folder: string,
): Promise<string[]> {
  const script = new URL("contestant.ts", import.meta.url).pathname;
  const start = CONTESTANTS[name].runtime === "deno"
    ? [
      ...[Deno.execPath(), "run", "-A", "-q"],
      `--v8-flags=--expose-gc,${V8_FLAGS}`,
    ]
    : [await installPackages(folder), "--expose-gc"];
  return [...start, script, name, JSON.stringify(settings), folder];
}

async function run(
  command: readonly string[],
  seconds: number,
): Promise<ContestResult> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(1_000 * seconds),
  }).spawn();
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`It failed, or took over ${seconds} s.`);
  return JSON.parse(new TextDecoder().decode(stdout)) as ContestResult;
}

async function canIsolate(): Promise<boolean> {
  const [program = "", ...args] = [...ISOLATED, "true"];
  try {
    const { success } = await new Deno.Command(program, {
      args,
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** The results side by side, and how often meshnode is better. */
export function contestTable({ results }: Contestants): string {
  const lines: [string, (result: ContestResult) => number, "less" | "more"][] =
    [
      ["put p50, ms", ({ put }) => put.p50, "less"],
      ["put p99, ms", ({ put }) => put.p99, "less"],
      ["get p50, ms", ({ get }) => get.p50, "less"],
      ["get p99, ms", ({ get }) => get.p99, "less"],
      ["puts per s, 16 in flight", ({ putRate }) => putRate, "more"],
      ["gets per s, 16 in flight", ({ getRate }) => getRate, "more"],
      ["all nodes routable, ms", ({ routable }) => routable, "less"],
      ["memory per node, MiB", (each) => each.memoryPerNode, "less"],
      ["bytes per put", ({ putCost }) => putCost.bytes, "less"],
      ["bytes per get", ({ getCost }) => getCost.bytes, "less"],
      ["packets per put", ({ putCost }) => putCost.packets, "less"],
      ["packets per get", ({ getCost }) => getCost.packets, "less"],
      ["processor per put, ms", ({ putCost }) => putCost.cpu, "less"],
      ["processor per get, ms", ({ getCost }) => getCost.cpu, "less"],
      ["puts that succeeded, %", (each) => 100 * each.stored, "more"],
      ["gets that gave the value, %", (each) => 100 * each.correct, "more"],
    ];
  const ours = results.find(({ name }) => name === "meshnode");
  const peers = results.filter((each) => each !== ours);
  const head = [
    "",
    ...results.map(({ name }) => name),
    ...peers.map(({ name }) => `× ${name}`),
  ];
  const rows = lines.map(([label, of, better]) => [
    label,
    ...results.map((each) => short(of(each))),
    ...peers.map((peer) => {
      if (ours === undefined) return "–";
      const ratio = of(peer) / of(ours);
      return short(better === "less" ? ratio : 1 / ratio);
    }),
  ]);
  return table([head, ...rows]);
}
