import { flagsOf, listOf, numbersOf } from "../usage.ts";
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

/** Reads the flags. @throws {UsageError} */
export function readFlags(args: readonly string[]): Flags {
  const values = flagsOf(args, {
    quick: false,
    latest: false,
    json: "bench-dht.json",
    publish: undefined as string | undefined,
    parts: PARTS.join(","),
    packages: ".meshnode/bench",
    nodes: "32",
    "num-peers": "16",
    "initial-peers": "4",
    "random-seed": "30",
    "total-num-rounds": "16",
    "num-store-peers": "8",
    "num-get-peers": "8",
    "wait-after-iteration": "0",
    delay: "0",
    "wait-timeout": "5",
    expiration: "300",
    "failure-rate": "0.1",
  });
  const { count, number } = numbersOf(values);
  const rounds = count("total-num-rounds", { least: 1 });
  return {
    quick: values.quick,
    json: values.json,
    publish: values.publish,
    nodes: count("nodes", { least: 1 }),
    folder: values.packages,
    parts: new Set(listOf("--parts", values.parts, PARTS)),
    writers: {
      peers: count("num-peers", { least: 1 }),
      initialPeers: count("initial-peers", { least: 1 }),
      seed: count("random-seed"),
      rounds: values.quick ? 4 : rounds,
      storePeers: count("num-store-peers"),
      getPeers: count("num-get-peers"),
      pause: number("wait-after-iteration"),
      delay: number("delay"),
      timeout: number("wait-timeout"),
      expiration: number("expiration"),
      latest: values.latest,
      failureRate: number("failure-rate", { most: 1 }),
    },
  };
}
