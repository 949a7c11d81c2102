import { createHash } from "node:crypto";
import { type Bytes, concat } from "../core/bytes.ts";
import type { DhtRecord } from "./record.ts";

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
