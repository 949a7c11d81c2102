/**
 * A number that is written as float64 (`0xcb`) also when it is integral.
 *
 * The reference's numbers meant as floats (throughput, round-trip times,
 * expirations) are always written so, and signatures cover those bytes.
 */
export class Float {
  /** Wraps a number. */
  constructor(readonly value: number) {}
}

/** A Python tuple: msgpack extension `0x40`. */
export class Tuple {
  /** The items, in order. */
  readonly items: readonly MeshValue[];

  /** Wraps the items. */
  constructor(items: readonly MeshValue[]) {
    this.items = items;
  }
}

/** What a record's key, subkey or value can be. */
export type MeshValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | Uint8Array
  | Tuple
  | readonly MeshValue[]
  | ReadonlyMap<MeshValue, MeshValue>;
