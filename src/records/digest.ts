import { createHash } from "node:crypto";
import { type Bytes, concat, equal } from "../core/bytes.ts";
import type { DhtRecord } from "./record.ts";
import { isTombstone } from "./tombstone.ts";

/** Length of a {@linkcode recordDigest}. */
export const DIGEST_BYTES = 32;

/**
 * Tells one state of a subkey from every other: the SHA-256 of the expiration
 * (float64, big-endian) and the value with its signature.
 */
export function recordDigest(
  { value, expiration }: Pick<DhtRecord, "value" | "expiration">,
): Bytes {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setFloat64(0, expiration);
  return concat(createHash("sha256").update(time).update(value).digest());
}

/** Whether what is held is the record of the expected digest, or nothing (or a tombstone) for `null`. */
export function isExpected(
  held: Pick<DhtRecord, "value" | "expiration"> | undefined,
  expected: Uint8Array | null,
): boolean {
  if (held === undefined || isTombstone(held)) return expected === null;
  return expected !== null && equal(recordDigest(held), expected);
}
