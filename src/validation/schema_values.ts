import { equal } from "../core/bytes.ts";
import { Decoder } from "../records/decoder.ts";
import { Float, type MeshValue, Tuple } from "../records/values.ts";

/** A serialized value in the forms that a schema is asked about. */
export interface Presentations {
  /** With plain numbers. */
  readonly plain: unknown;
  /** Whether it is a map. */
  readonly isMap: boolean;
  /**
   * With every integral float moved to its next neighbour above, and below:
   * a schema that takes floats takes one of them, one for integers none.
   */
  readonly floats: readonly unknown[];
}

/** Reads a serialized value; `undefined` when it is none. */
export function presentations(bytes: Uint8Array): Presentations | undefined {
  let value: MeshValue;
  try {
    const decoder = new Decoder(bytes, undefined, true);
    value = decoder.value();
    decoder.end();
  } catch {
    return undefined;
  }
  let moved = false;
  const plain = present(value, (float) => {
    moved ||= neighbour(float, 1) !== float;
    return float;
  });
  return {
    plain,
    isMap: value instanceof Map,
    floats: moved
      ? [1, -1].map((way) => present(value, (float) => neighbour(float, way)))
      : [],
  };
}

function present(value: MeshValue, float: (value: number) => number): unknown {
  const each = (item: MeshValue) => present(item, float);
  if (value instanceof Float) return float(value.value);
  if (value instanceof Tuple) return value.items.map(each);
  if (Array.isArray(value)) return value.map(each);
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([key, item]) => [each(key), each(item)]);
  return entries.every(([key]) => typeof key === "string")
    ? Object.fromEntries(entries)
    : new Map(entries as [unknown, unknown][]);
}

/** The nearest float that is no integer, for an integral one; others stay. */
function neighbour(value: number, way: number): number {
  if (!Number.isInteger(value)) return value;
  const step = value === 0 ? Number.MIN_VALUE : Math.abs(value) * 2 ** -52;
  const moved = value + way * step;
  return Number.isInteger(moved) ? value : moved;
}

/** Whether two values are the same through and through. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && equal(a, b);
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((item, i) => same(item, b[i]));
  }
  if (a instanceof Map || b instanceof Map) {
    return a instanceof Map && b instanceof Map && a.size === b.size &&
      sameEntries([...a], [...b]);
  }
  return Object.getPrototypeOf(a) === Object.getPrototypeOf(b) &&
    sameEntries(Object.entries(a), Object.entries(b));
}

function sameEntries(
  a: readonly (readonly [unknown, unknown])[],
  b: readonly (readonly [unknown, unknown])[],
): boolean {
  // Keys of maps may be objects, so that equal ones are found by place first.
  return a.length === b.length && a.every(([key, value], i) => {
    const other = b[i];
    if (other !== undefined && same(key, other[0])) {
      return same(value, other[1]);
    }
    const found = b.find(([each]) => same(key, each));
    return found !== undefined && same(value, found[1]);
  });
}
