import type { PortableRegistry } from "@polkadot/types";
import type { SiLookupTypeId, SiTypeDef } from "@polkadot/types/interfaces";

/** Deepest nesting of types. */
const MAX_DEPTH = 64;

/** Bytes of primitives; texts have their length in front. */
const WIDTHS: Readonly<Record<string, number>> = {
  Bool: 1,
  Char: 4,
  U8: 1,
  U16: 2,
  U32: 4,
  U64: 8,
  U128: 16,
  U256: 32,
  I8: 1,
  I16: 2,
  I32: 4,
  I64: 8,
  I128: 16,
  I256: 32,
};

/**
 * Whether bytes are exactly one value of a type. The library, where a list
 * announces more items than there are bytes, makes them up by the thousand:
 * what it decodes is measured first.
 */
export function isOneValue(
  lookup: PortableRegistry,
  type: SiLookupTypeId,
  bytes: Uint8Array,
): boolean {
  try {
    return new Measure(lookup, bytes).end(type, 0, 0) === bytes.length;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Walks over a value without making anything of it. */
class Measure {
  readonly #lookup: PortableRegistry;
  readonly #bytes: Uint8Array;

  constructor(lookup: PortableRegistry, bytes: Uint8Array) {
    this.#lookup = lookup;
    this.#bytes = bytes;
  }

  /** Where a value that begins at `at` ends. @throws {RangeError} */
  end(type: SiLookupTypeId, at: number, depth: number): number {
    if (depth > MAX_DEPTH) throw new RangeError("It nests too deep.");
    const { def } = this.#lookup.getSiType(type);
    if (def.isPrimitive) return this.#primitive(def.asPrimitive.type, at);
    if (def.isCompact) return this.#compact(at).end;
    if (def.isSequence) return this.#sequence(def.asSequence.type, at, depth);
    if (def.isArray) {
      const { type: item, len } = def.asArray;
      return this.#many(item, len.toNumber(), at, depth);
    }
    const start = def.isVariant ? this.#within(at + 1) : at;
    return this.#all(this.#parts(def, at), start, depth);
  }

  /** The types that a value is made of, one after the other. */
  #parts(def: SiTypeDef, at: number): readonly SiLookupTypeId[] {
    if (def.isTuple) return [...def.asTuple];
    if (def.isComposite) {
      return def.asComposite.fields.map(({ type }) => type);
    }
    if (!def.isVariant) throw new RangeError(`A ${def.type} is not known.`);
    const index = this.#bytes[at];
    const variant = def.asVariant.variants.find((each) =>
      each.index.toNumber() === index
    );
    if (variant === undefined) throw new RangeError("A variant is unknown.");
    return variant.fields.map(({ type }) => type);
  }

  #all(
    types: readonly SiLookupTypeId[],
    at: number,
    depth: number,
  ): number {
    return types.reduce((end, type) => this.end(type, end, depth + 1), at);
  }

  #sequence(item: SiLookupTypeId, at: number, depth: number): number {
    const { value: count, end } = this.#compact(at);
    return this.#many(item, count, end, depth);
  }

  #many(
    item: SiLookupTypeId,
    count: number,
    at: number,
    depth: number,
  ): number {
    const { def } = this.#lookup.getSiType(item);
    const width = def.isPrimitive ? WIDTHS[def.asPrimitive.type] : undefined;
    if (width !== undefined) return this.#within(at + count * width);
    // Each item takes a byte at least, or there would be no end to them.
    if (count > this.#bytes.length - at) {
      throw new RangeError("It announces more items than it has bytes.");
    }
    let end = at;
    for (let left = count; left > 0; left--) {
      end = this.end(item, end, depth + 1);
    }
    return end;
  }

  #primitive(name: string, at: number): number {
    if (name === "Str") {
      const { value, end } = this.#compact(at);
      return this.#within(end + value);
    }
    const width = WIDTHS[name];
    if (width === undefined) throw new RangeError(`A ${name} is not known.`);
    return this.#within(at + width);
  }

  /** A compact number, and where it ends. */
  #compact(at: number): { readonly value: number; readonly end: number } {
    const first = this.#bytes[this.#within(at + 1) - 1] as number;
    const mode = first & 3;
    const width = mode < 3 ? 1 << mode : 5 + (first >> 2);
    const end = this.#within(at + width);
    let value = 0;
    for (let i = end - 1; i >= (mode < 3 ? at : at + 1); i--) {
      value = value * 256 + (this.#bytes[i] as number);
    }
    return { value: mode < 3 ? Math.floor(value / 4) : value, end };
  }

  #within(end: number): number {
    if (end <= this.#bytes.length) return end;
    throw new RangeError("It ends in the middle of a value.");
  }
}
