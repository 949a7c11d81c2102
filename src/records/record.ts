import { type Bytes, compare, equal } from "../core/bytes.ts";
import { encode } from "./serializer.ts";
import { Float, Tuple } from "./values.ts";

/** One entry of the DHT, in the bytes that travel and are signed. */
export interface DhtRecord {
  /** The key's DHTID, 20 bytes. */
  readonly key: Uint8Array;
  /** The subkey's serialized form; `c0` (nil) for a plain record. */
  readonly subkey: Uint8Array;
  /** The value's serialized form, with its signature where it has one. */
  readonly value: Uint8Array;
  /** DHT time (Unix seconds) until which the record lives. */
  readonly expiration: number;
}

/** Serialized `null`: the subkey of a record that has none. */
export const NO_SUBKEY: Uint8Array = encode(null);

/** Whether a record stands alone under its key. */
export function isPlain(record: Pick<DhtRecord, "subkey">): boolean {
  return equal(record.subkey, NO_SUBKEY);
}

/** The bytes that an owner signs: the 4-tuple with the value before signing. */
export function signedBytes(record: DhtRecord): Bytes {
  return encode(
    new Tuple([
      record.key,
      record.subkey,
      record.value,
      new Float(record.expiration),
    ]),
  );
}

/** Whether two records are the very same, wherever their bytes are. */
export function isSame(a: DhtRecord, b: DhtRecord): boolean {
  return a.expiration === b.expiration && equal(a.value, b.value) &&
    equal(a.subkey, b.subkey) && equal(a.key, b.key);
}

/** Whether a record takes another's place: later, or equally late and with greater bytes, so that all replicas agree. */
export function supersedes(
  next: Pick<DhtRecord, "value" | "expiration">,
  present: Pick<DhtRecord, "value" | "expiration">,
): boolean {
  return next.expiration > present.expiration ||
    (next.expiration === present.expiration &&
      compare(next.value, present.value) > 0);
}
