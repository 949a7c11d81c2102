import { type Bytes, concat, toHex } from "../core/bytes.ts";
import { DecodeError } from "./errors.ts";
import { EXT, LIMITS } from "./format.ts";
import { Float, type MeshValue, Tuple } from "./values.ts";

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads msgpack, with bounds on size, depth and counts, and finite numbers only. */
export class Decoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #budget: { items: number };
  readonly #markFloats: boolean;
  #at = 0;

  /**
   * Reads from the bytes, which it does not copy. With `markFloats`, floats
   * come back as {@linkcode Float}, to be told from integers.
   */
  constructor(
    bytes: Uint8Array,
    budget = { items: LIMITS.items as number },
    markFloats = false,
  ) {
    if (bytes.length > LIMITS.bytes) {
      throw new DecodeError(
        `${bytes.length} bytes are more than the ${LIMITS.bytes} allowed.`,
      );
    }
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#budget = budget;
    this.#markFloats = markFloats;
  }

  /** Refuses bytes after the last value. */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new DecodeError(
        `${this.#bytes.length - this.#at} bytes follow the value.`,
      );
    }
  }

  /** The next value. */
  value(depth = 0): MeshValue {
    if (depth > LIMITS.depth) {
      throw new DecodeError(`It nests deeper than ${LIMITS.depth} levels.`);
    }
    const code = this.#unsigned(1);
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code < 0x90) return this.#map(code & 0x0f, depth);
    if (code < 0xa0) return this.#array(code & 0x0f, depth);
    if (code < 0xc0) return this.#text(code & 0x1f);
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#unsigned(1 << (code - 0xc4)));
      case 0xca:
        return this.#float(this.#view.getFloat32(this.#advance(4)));
      case 0xcb:
        return this.#float(this.#view.getFloat64(this.#advance(8)));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (code - 0xcc));
      case 0xcf:
        return narrow(this.#view.getBigUint64(this.#advance(8)));
      case 0xd0:
        return this.#view.getInt8(this.#advance(1));
      case 0xd1:
        return this.#view.getInt16(this.#advance(2));
      case 0xd2:
        return this.#view.getInt32(this.#advance(4));
      case 0xd3:
        return narrow(this.#view.getBigInt64(this.#advance(8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#unsigned(1 << (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(code === 0xdc ? 2 : 4), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(code === 0xde ? 2 : 4), depth);
    }
    this.#at--;
    const { type, payload } = this.extension();
    if (type !== EXT.tuple) {
      throw new DecodeError(
        `The extension type 0x${type.toString(16)} has no meaning here.`,
      );
    }
    const inner = new Decoder(payload, this.#budget, this.#markFloats);
    const items = inner.value(depth);
    inner.end();
    if (!Array.isArray(items)) {
      throw new DecodeError("A tuple's payload is not an array.");
    }
    return new Tuple(items);
  }

  /** Whether the next value is nil, which is read then. */
  skipNil(): boolean {
    if (this.#bytes[this.#at] !== 0xc0) return false;
    this.#at++;
    return true;
  }

  /** The next value's bytes, checked like the value itself. */
  serialized(): Bytes {
    const start = this.#at;
    this.value();
    return concat(this.#bytes.subarray(start, this.#at));
  }

  /** The next value, which must be a byte string. */
  binary(): Uint8Array {
    const value = this.value();
    if (value instanceof Uint8Array) return value;
    throw new DecodeError("A byte string is missing.");
  }

  /** The next value as a finite float64. */
  finiteFloat(): number {
    return finite(this.float());
  }

  /** The next extension value. */
  extension(): { readonly type: number; readonly payload: Bytes } {
    const code = this.#unsigned(1);
    let length: number;
    if (code >= 0xd4 && code <= 0xd8) length = 1 << (code - 0xd4);
    else if (code >= 0xc7 && code <= 0xc9) {
      length = this.#unsigned(1 << (code - 0xc7));
    } else throw new DecodeError(`Unexpected code 0x${code.toString(16)}.`);
    const type = this.#unsigned(1);
    return { type, payload: this.#take(length) };
  }

  /** The length of the next array, whose items follow. */
  arrayHead(): number {
    const code = this.#unsigned(1);
    if (code >= 0x90 && code < 0xa0) return this.#count(code & 0x0f, 1);
    if (code === 0xdc) return this.#count(this.#unsigned(2), 1);
    if (code === 0xdd) return this.#count(this.#unsigned(4), 1);
    throw new DecodeError("An array is missing.");
  }

  /** The next value as a float64, which may be infinite. */
  float(): number {
    if (this.#unsigned(1) !== 0xcb) {
      throw new DecodeError("A float64 is missing.");
    }
    return this.#view.getFloat64(this.#advance(8));
  }

  #float(value: number): number | Float {
    return this.#markFloats ? new Float(finite(value)) : finite(value);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) {
      throw new DecodeError("It ends in the middle of a value.");
    }
    this.#at += count;
    return at;
  }

  #unsigned(bytes: number): number {
    const at = this.#advance(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #take(length: number): Bytes {
    const at = this.#advance(length);
    return concat(this.#bytes.subarray(at, at + length));
  }

  /** Refuses counts that the remaining bytes or the budget cannot hold. */
  #count(count: number, bytesEach: number): number {
    if (count * bytesEach > this.#bytes.length - this.#at) {
      throw new DecodeError("It announces more items than it has bytes.");
    }
    this.#budget.items -= count;
    if (this.#budget.items < 0) {
      throw new DecodeError(`It has more than ${LIMITS.items} items.`);
    }
    return count;
  }

  #text(length: number): string {
    const at = this.#advance(length);
    try {
      return text.decode(this.#bytes.subarray(at, at + length));
    } catch (cause) {
      throw new DecodeError("A text is not valid UTF-8.", { cause });
    }
  }

  #array(length: number, depth: number): MeshValue[] {
    const items: MeshValue[] = [];
    for (let left = this.#count(length, 1); left > 0; left--) {
      items.push(this.value(depth + 1));
    }
    return items;
  }

  #map(length: number, depth: number): Map<MeshValue, MeshValue> {
    const map = new Map<MeshValue, MeshValue>();
    const seen = new Set<string>();
    for (let left = this.#count(length, 2); left > 0; left--) {
      const start = this.#at;
      const key = this.value(depth + 1);
      // Byte strings are objects, so that equal keys are found by their bytes.
      const name = toHex(this.#bytes.subarray(start, this.#at));
      if (seen.has(name)) throw new DecodeError("A map repeats a key.");
      seen.add(name);
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new DecodeError(`The number ${value} is not finite.`);
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
