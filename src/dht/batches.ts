import type { DhtRecord } from "../records/record.ts";
import { WIRE_LIMITS } from "./wire.ts";

/** Bytes of records in one store call, so that calls stay short. */
const BATCH_BYTES = 1024 * 1024;

/** Splits a list into parts of at most `size` items. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, i) => items.slice(i * size, (i + 1) * size),
  );
}

/** Splits records into calls by their count and bytes. */
export function storeBatches(records: readonly DhtRecord[]): DhtRecord[][] {
  const batches: DhtRecord[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    const size = record.subkey.length + record.value.length;
    const last = batches.at(-1);
    if (
      last === undefined || last.length >= WIRE_LIMITS.records ||
      bytes + size > BATCH_BYTES
    ) {
      batches.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return batches;
}
