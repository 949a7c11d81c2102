import { createHash } from "node:crypto";
import { type Bytes, concat } from "../../core/bytes.ts";
import type { DhtRecord } from "../../records/record.ts";

/** Length of fingerprints, bytes. */
export const FINGERPRINT_BYTES = 8;

const head = new Uint8Array(12);
const view = new DataView(head.buffer);

/**
 * Tells a record from every other under its key: the front of the SHA-1 of its
 * expiration, subkey and value. Whoever makes two alike harms the copies of
 * their own record only.
 */
export function fingerprint(record: Omit<DhtRecord, "key">): bigint {
  view.setFloat64(0, record.expiration);
  view.setUint32(8, record.subkey.length);
  return front(head, record.subkey, record.value);
}

/** The name of a subkey in comparisons. */
export function subkeyName(subkey: Uint8Array): bigint {
  return front(subkey);
}

/** The fingerprint of a set of records does not depend on their order. */
export function joined(fingerprints: Iterable<bigint>): bigint {
  let all = 0n;
  for (const each of fingerprints) all ^= each;
  return all;
}

/** A fingerprint with its key mixed in, so that the same records under two keys do not cancel out. */
export function underKey(key: Uint8Array, records: bigint): bigint {
  return front(key, toBytes(records));
}

/** A fingerprint's eight bytes. */
export function toBytes(value: bigint): Bytes {
  const bytes = new Uint8Array(FINGERPRINT_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** The fingerprint of eight bytes. */
export function fromBytes(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}

function front(...parts: readonly Uint8Array[]): bigint {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return fromBytes(concat(hash.digest()));
}
