import type { Bytes } from "../core/bytes.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import type { MeshValue } from "./values.ts";

/**
 * The serialized form of a value: msgpack with the tuple extension, byte for
 * byte as the reference writes it.
 *
 * @throws {EncodeError} for values without a form, such as infinite numbers.
 */
export function encode(value: MeshValue): Bytes {
  const encoder = new Encoder();
  encoder.value(value);
  return encoder.bytes();
}

/**
 * The value of serialized bytes. Maps come back as `Map`, tuples as `Tuple`,
 * integers beyond 2^53 as `bigint`.
 *
 * @throws {DecodeError} for anything but exactly one value within the limits.
 */
export function decode(bytes: Uint8Array): MeshValue {
  const decoder = new Decoder(bytes);
  const value = decoder.value();
  decoder.end();
  return value;
}
