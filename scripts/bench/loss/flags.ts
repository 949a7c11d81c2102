import { parseArgs } from "node:util";
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

/** Reads the flags; nothing when help is wanted or they make no sense. */
export function readFlags(args: readonly string[]): Flags | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        inside: { type: "boolean", default: false },
        json: { type: "string", default: "bench-loss.json" },
        parts: { type: "string", default: PARTS.join(",") },
        nodes: { type: "string", default: "24" },
        records: { type: "string", default: "400" },
        share: { type: "string", default: "0.3" },
        readers: { type: "string", default: "8" },
        after: { type: "string", default: "10" },
        seed: { type: "string", default: "1" },
        attacks: { type: "string", default: ATTACKS.join(",") },
        "attack-nodes": { type: "string", default: "5" },
        "attack-time": { type: "string", default: "30" },
        "cut-nodes": { type: "string", default: "6" },
        "cut-time": { type: "string", default: "300" },
      },
    }));
  } catch {
    return undefined;
  }
  if (values.help) return undefined;
  const parts = values.parts.split(",");
  const known = PARTS.filter((part) => parts.includes(part));
  const reads: ReadSettings = {
    nodes: Number(values.nodes),
    share: Number(values.share),
    records: Number(values.records),
    readers: Number(values.readers),
    pause: 100,
    before: 3_000,
    after: 1_000 * Number(values.after),
    seed: Number(values.seed),
  };
  const attackTime = 1_000 * Number(values["attack-time"]);
  const ways = values.attacks.split(",");
  const attacks: AttackSettings = {
    attacks: ATTACKS.filter((attack) => ways.includes(attack)),
    nodes: Number(values["attack-nodes"]),
    records: 100,
    pause: 50,
    calm: attackTime / 3,
    attack: attackTime,
    seed: reads.seed,
  };
  const cutOff: CutOffSettings = {
    nodes: Number(values["cut-nodes"]),
    duration: 1_000 * Number(values["cut-time"]),
    seed: reads.seed,
  };
  const isSound = known.length === parts.length &&
    attacks.attacks.length === ways.length &&
    [reads, cutOff, { nodes: attacks.nodes, attackTime }]
      .flatMap((each) => Object.values<number>({ ...each }))
      .every((each) => each >= 0) &&
    reads.nodes <= 200;
  if (!isSound) return undefined;
  const { inside, json } = values;
  return { inside, json, parts: new Set(known), reads, attacks, cutOff };
}
