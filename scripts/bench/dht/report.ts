import type { BatchResult, OwnersResult } from "./batches.ts";
import type { CurvePoint } from "./cost_curve.ts";
import type { StoresResult } from "./stores.ts";
import { short, table } from "./table.ts";
import type { WritersResult } from "./writers.ts";

/** Batches and many owners. */
export function batchTable(owners: OwnersResult, batches: BatchResult): string {
  const { nodes, keys } = batches;
  return table([
    ["", "p50, ms", "p99, ms", "complete, %"],
    [
      `${owners.owners} owners under one key, read by one get`,
      short(owners.p50),
      short(owners.p99),
      short(100 * owners.complete),
    ],
    [
      `${keys} keys in one put, ${nodes} nodes, per key`,
      short(batches.putPerKey),
    ],
    [
      `${keys} keys in one get, ${nodes} nodes, per key`,
      short(batches.getPerKey),
      "",
      short(100 * batches.correct),
    ],
  ]);
}

/** Records in memory and on disk. */
export function storesTable({ memory, disk }: StoresResult): string {
  return table([
    ["", "put p50, ms", "p99, ms", "get p50, ms", "p99, ms", "puts per s"],
    ...[["in memory", memory] as const, ["SQLite file", disk] as const].map((
      [name, { put, get, putRate }],
    ) => [
      name,
      short(put.p50),
      short(put.p99),
      short(get.p50),
      short(get.p99),
      short(putRate),
    ]),
  ]);
}

/** How the cost grows. */
export function curveTable(points: readonly CurvePoint[]): string {
  return table([
    [
      "nodes",
      "put p50, ms",
      "p99, ms",
      "messages",
      "bytes",
      "get p50, ms",
      "p99, ms",
      "messages",
      "bytes",
    ],
    ...points.map(({ nodes, put, get }) => [
      String(nodes),
      short(put.p50),
      short(put.p99),
      short(put.messages),
      short(put.bytes),
      short(get.p50),
      short(get.p99),
      short(get.messages),
      short(get.bytes),
    ]),
  ]);
}

/** Many writers under one key. */
export function writersTable(result: WritersResult): string {
  const { store, get } = result;
  const row = (name: string, { mean, deviation, max }: typeof store) => [
    name,
    short(mean),
    short(deviation),
    short(max),
  ];
  return table([
    ["a round, ms", "mean", "std", "max"],
    row("stores", store),
    row("gets", get),
    ["", "", "", ""],
    ["stores that succeeded, %", short(100 * result.storeSuccess)],
    ["gets with all values, %", short(100 * result.getSuccess)],
    ["processes alive at the end", `${result.alive} of ${result.peers}`],
    ["records of all rounds found at the end, %", short(100 * result.survival)],
    ["total time, s", short(result.seconds)],
  ]);
}
