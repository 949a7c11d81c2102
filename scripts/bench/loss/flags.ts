import { flagsOf, listOf, numbersOf } from "../usage.ts";
import type { AttackSettings } from "./attack.ts";
import { ATTACKS } from "./attacker.ts";
import type { CutOffSettings } from "./cut_off.ts";
import type { ReadSettings } from "./reads.ts";

/** What can be measured. */
export const PARTS = ["killed", "black-holed", "attack", "cut-off"] as const;

/** A part of the benchmark. */
export type Part = typeof PARTS[number];

/** What the command was told. */
export interface Flags {
  /** Whether this is the process within the namespaces. */
  readonly inside: boolean;
  readonly json: string;
  readonly parts: ReadonlySet<Part>;
  readonly reads: ReadSettings;
  readonly attacks: AttackSettings;
  readonly cutOff: CutOffSettings;
}

/** What `--help` says. */
export const HELP = `deno task bench:loss [--parts LIST] [--json FILE]

Real nodes in processes and network namespaces of their own, which the command
makes itself; needs Linux, unshare and ip.

  --parts LIST   of ${PARTS.join(",")}; all by default
  --json FILE    where all numbers go; bench-loss.json
  --nodes N      24
  --records N    records stored before; 400
  --share P      the share of the nodes that is hurt; 0.3
  --readers N    nodes that read; 8
  --after S      seconds that are measured from the harm on; 10
  --seed N       who is hurt, and what is read; 1

One member or stranger against one node of a small mesh:
  --attacks LIST     of ${ATTACKS.join(",")}; all by default
  --attack-nodes N   5
  --attack-time S    seconds of each, a third of it before and after; 30

One node of a small mesh cut off and let back:
  --cut-nodes N      6
  --cut-time S       seconds; 300`;

/** Reads the flags. @throws {UsageError} */
export function readFlags(args: readonly string[]): Flags {
  const values = flagsOf(args, {
    inside: false,
    json: "bench-loss.json",
    parts: PARTS.join(","),
    nodes: "24",
    records: "400",
    share: "0.3",
    readers: "8",
    after: "10",
    seed: "1",
    attacks: ATTACKS.join(","),
    "attack-nodes": "5",
    "attack-time": "30",
    "cut-nodes": "6",
    "cut-time": "300",
  });
  const { count, number } = numbersOf(values);
  const seed = count("seed");
  const attackTime = 1_000 * number("attack-time");
  const { inside, json } = values;
  return {
    inside,
    json,
    parts: new Set(listOf("--parts", values.parts, PARTS)),
    reads: {
      nodes: count("nodes", { most: 200 }),
      share: number("share", { most: 1 }),
      records: count("records"),
      readers: count("readers"),
      pause: 100,
      before: 3_000,
      after: 1_000 * number("after"),
      seed,
    },
    attacks: {
      attacks: listOf("--attacks", values.attacks, ATTACKS),
      nodes: count("attack-nodes"),
      records: 100,
      pause: 50,
      calm: attackTime / 3,
      attack: attackTime,
      seed,
    },
    cutOff: {
      nodes: count("cut-nodes"),
      duration: 1_000 * number("cut-time"),
      seed,
    },
  };
}
