import { parseArgs } from "node:util";
import type { WriterSettings } from "./writers.ts";

/** What can be measured. */
const PARTS = ["contest", "batches", "stores", "curve", "writers"] as const;

/** A part of the benchmark. */
export type Part = typeof PARTS[number];

/** What the command was told. */
export interface Flags {
  readonly quick: boolean;
  readonly json: string;
  /** The folder of the page and its numbers. */
  readonly publish: string | undefined;
  readonly nodes: number;
  readonly folder: string;
  readonly parts: ReadonlySet<Part>;
  readonly writers: WriterSettings;
}

/** What `--help` says. */
export const HELP = `deno task bench:dht [--quick] [--json FILE] [--parts LIST]

  --parts LIST         of ${PARTS.join(",")}; all by default
  --quick              fewer rounds and smaller meshes
  --json FILE          where all numbers go; bench-dht.json
  --publish FOLDER     writes benchmarks.md and benchmarks.json there, too
  --nodes N            nodes of each contestant; 32
  --packages FOLDER    where Node 22 and the contestants are; .meshnode/bench

Many writers under one key, in processes that are killed:
  --num-peers N        processes; 16
  --initial-peers N    those that others enter through; 4
  --random-seed N      30
  --total-num-rounds N 16
  --num-store-peers N  writers in each round; 8
  --num-get-peers N    readers in each round; 8
  --wait-after-iteration S, --delay S   pauses after a round and between
                       stores and gets, seconds; 0
  --wait-timeout S     longest time of one answer; 5
  --expiration S       how long records live; 300
  --latest             ask all replicas
  --failure-rate P     the share of processes that are killed; 0.1`;

/** Reads the flags; nothing when help is wanted or they make no sense. */
export function readFlags(args: readonly string[]): Flags | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        latest: { type: "boolean", default: false },
        json: { type: "string", default: "bench-dht.json" },
        publish: { type: "string" },
        parts: { type: "string", default: PARTS.join(",") },
        packages: { type: "string", default: ".meshnode/bench" },
        nodes: { type: "string", default: "32" },
        "num-peers": { type: "string", default: "16" },
        "initial-peers": { type: "string", default: "4" },
        "random-seed": { type: "string", default: "30" },
        "total-num-rounds": { type: "string", default: "16" },
        "num-store-peers": { type: "string", default: "8" },
        "num-get-peers": { type: "string", default: "8" },
        "wait-after-iteration": { type: "string", default: "0" },
        delay: { type: "string", default: "0" },
        "wait-timeout": { type: "string", default: "5" },
        expiration: { type: "string", default: "300" },
        "failure-rate": { type: "string", default: "0.1" },
      },
    }));
  } catch {
    return undefined;
  }
  if (values.help) return undefined;
  const parts = values.parts.split(",");
  const known = PARTS.filter((part) => parts.includes(part));
  const writers: WriterSettings = {
    peers: Number(values["num-peers"]),
    initialPeers: Number(values["initial-peers"]),
    seed: Number(values["random-seed"]),
    rounds: values.quick ? 4 : Number(values["total-num-rounds"]),
    storePeers: Number(values["num-store-peers"]),
    getPeers: Number(values["num-get-peers"]),
    pause: Number(values["wait-after-iteration"]),
    delay: Number(values.delay),
    timeout: Number(values["wait-timeout"]),
    expiration: Number(values.expiration),
    latest: values.latest,
    failureRate: Number(values["failure-rate"]),
  };
  const numbers = [values.nodes, ...Object.values(writers)].map(Number);
  if (known.length !== parts.length || numbers.some((each) => !(each >= 0))) {
    return undefined;
  }
  return {
    quick: values.quick,
    json: values.json,
    publish: values.publish,
    nodes: Number(values.nodes),
    folder: values.packages,
    parts: new Set(known),
    writers,
  };
}
