import type { Bytes } from "../core/bytes.ts";
import { Encoder } from "./encoder.ts";
import { EXT } from "./format.ts";
import type { DhtRecord } from "./record.ts";

/**
 * The value of a tombstone before signing. A tombstone takes the place of a
 * record as any newer record does, and is passed on, kept and signed like one;
 * nobody who reads sees it.
 */
export const TOMBSTONE: Bytes = (() => {
  const encoder = new Encoder();
  encoder.extension(EXT.tombstone, Uint8Array.of(0));
  return encoder.bytes();
})();

/** By how much a tombstone outlives what it deletes, s. */
export const TOMBSTONE_OUTLIVES = 0.001;

/** Whether a record says that its subkey was deleted. Its signature may follow. */
export function isTombstone({ value }: Pick<DhtRecord, "value">): boolean {
  return TOMBSTONE.every((byte, i) => value[i] === byte);
}
