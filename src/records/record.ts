import type { Bytes } from "../core/bytes.ts";
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
