import { createHash } from "node:crypto";
import { type Bytes, concat } from "../core/bytes.ts";
import { encode } from "./serializer.ts";
import type { MeshValue } from "./values.ts";

/** Length of a DHTID: SHA-1, as the Mesh Template has it. */
export const DHT_ID_BYTES = 20;

/** The 160-bit place of some bytes in the key space. */
export function dhtIdOfBytes(source: Uint8Array): Bytes {
  return concat(createHash("sha1").update(source).digest());
}

/** The DHTID of a key: the SHA-1 of bytes as they are, of any other value's msgpack form. */
export function dhtId(source: MeshValue): Bytes {
  return dhtIdOfBytes(source instanceof Uint8Array ? source : encode(source));
}

/** XOR distance of two ids, as bytes that compare big-endian. */
export function distance(a: Uint8Array, b: Uint8Array): Bytes {
  return Uint8Array.from(a, (byte, i) => byte ^ (b[i] ?? 0));
}
