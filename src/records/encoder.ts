import { type Bytes, concat } from "../core/bytes.ts";
import { EncodeError } from "./errors.ts";
import { EXT, LIMITS } from "./format.ts";
import { Float, type MeshValue, Tuple } from "./values.ts";

const text = new TextEncoder();

/** The codes of a head: fixed, 8, 16 and 32 bit length; null where there is none. */
type HeadCodes = readonly [number | null, number | null, number, number];

/** Appends msgpack to a growing buffer; integers take their shortest form. */
export class Encoder {
  #buffer: Bytes = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  /** The bytes written so far, as a copy. */
  bytes(): Bytes {
    return this.#buffer.slice(0, this.#length);
  }

  /** Writes a value; nesting deeper than the limit is refused. */
  value(value: MeshValue, depth = 0): void {
    if (depth > LIMITS.depth) {
      throw new EncodeError(
        `The value nests deeper than ${LIMITS.depth} levels.`,
      );
    }
    if (value === null) return this.#byte(0xc0);
    if (typeof value === "boolean") return this.#byte(value ? 0xc3 : 0xc2);
    if (typeof value === "string") return this.#string(value);
    if (typeof value === "bigint") return this.#integer(value);
    if (typeof value === "number") return this.#number(value);
    if (value instanceof Float) return this.float(finite(value.value));
    if (value instanceof Uint8Array) return this.binary(value);
    if (value instanceof Tuple) {
      const inner = new Encoder();
      inner.#array(value.items, depth);
      return this.extension(EXT.tuple, inner.bytes());
    }
    if (Array.isArray(value)) return this.#array(value, depth);
    if (value instanceof Map) return this.#map(value, depth);
    throw new EncodeError(
      `A value of type ${typeof value} has no serialized form.`,
    );
  }

  /** Writes a float64. */
  float(value: number): void {
    this.#byte(0xcb);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** Writes a byte string. */
  binary(value: Uint8Array): void {
    this.#head(value.length, [null, 0xc4, 0xc5, 0xc6]);
    this.#raw(value);
  }

  /** Writes the head of an array; its items follow. */
  arrayHead(length: number): void {
    this.#head(length, [0x90, null, 0xdc, 0xdd], 15);
  }

  /** Writes an extension value. */
  extension(type: number, payload: Uint8Array): void {
    const fixed = [1, 2, 4, 8, 16].indexOf(payload.length);
    if (fixed >= 0) this.#byte(0xd4 + fixed);
    else this.#head(payload.length, [null, 0xc7, 0xc8, 0xc9]);
    this.#byte(type);
    this.#raw(payload);
  }

  /** Writes bytes that are serialized already. */
  serialized(bytes: Uint8Array): void {
    this.#raw(bytes);
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#buffer.length) return;
    const grown = Math.max(needed, this.#buffer.length * 2);
    this.#buffer = concat(
      this.#buffer,
      new Uint8Array(grown - this.#buffer.length),
    );
    this.#view = new DataView(this.#buffer.buffer);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #big(value: bigint, bytes: 1 | 2 | 4 | 8): void {
    for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      this.#byte(Number((value >> BigInt(shift)) & 0xffn));
    }
  }

  /** Writes the shortest head; a fixed one holds lengths up to `fixMax`. */
  #head(
    length: number,
    codes: HeadCodes,
    fixMax = -1,
  ): void {
    const [fix, c8, c16, c32] = codes;
    if (fix !== null && length <= fixMax) return this.#byte(fix | length);
    const [code, bytes] = c8 !== null && length < 0x100
      ? [c8, 1 as const]
      : length < 0x10000
      ? [c16, 2 as const]
      : [c32, 4 as const];
    this.#byte(code);
    this.#big(BigInt(length), bytes);
  }

  #string(value: string): void {
    if (!value.isWellFormed()) {
      throw new EncodeError("A text with a lone surrogate has no UTF-8 form.");
    }
    const bytes = text.encode(value);
    this.#head(bytes.length, [0xa0, 0xd9, 0xda, 0xdb], 31);
    this.#raw(bytes);
  }

  #number(value: number): void {
    if (Number.isSafeInteger(finite(value)) && !Object.is(value, -0)) {
      return this.#integer(BigInt(value));
    }
    this.float(value);
  }

  #integer(value: bigint): void {
    if (value >= 0n) {
      if (value < 0x80n) return this.#byte(Number(value));
      const size = [0x100n, 0x10000n, 0x100000000n, 1n << 64n]
        .findIndex((limit) => value < limit);
      if (size >= 0) {
        this.#byte(0xcc + size);
        return this.#big(value, (1 << size) as 1 | 2 | 4 | 8);
      }
    } else {
      if (value >= -0x20n) return this.#byte(Number(value) & 0xff);
      const size = [0x80n, 0x8000n, 0x80000000n, 1n << 63n]
        .findIndex((limit) => value >= -limit);
      if (size >= 0) {
        this.#byte(0xd0 + size);
        return this.#big(value, (1 << size) as 1 | 2 | 4 | 8);
      }
    }
    throw new EncodeError(`The integer ${value} needs more than 64 bits.`);
  }

  #array(items: readonly MeshValue[], depth: number): void {
    this.arrayHead(items.length);
    for (const item of items) this.value(item, depth + 1);
  }

  #map(map: ReadonlyMap<MeshValue, MeshValue>, depth: number): void {
    this.#head(map.size, [0x80, null, 0xde, 0xdf], 15);
    for (const [key, value] of map) {
      this.value(key, depth + 1);
      this.value(value, depth + 1);
    }
  }
}

/** What cannot be read back is not written. */
function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new EncodeError(`The number ${value} is not finite.`);
}
