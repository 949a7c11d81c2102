// The runtime API answers with bytes that the metadata does not describe. A
// kind says both how such a value is encoded and how it is read.
import {
  account,
  amount,
  bytes,
  fieldsOf,
  integer,
  list,
  optional,
  text,
  word,
} from "../fields.ts";

/** How a value is encoded, and how it is read from the library's JSON. */
export interface Kind<T> {
  /** The library's name of its type. */
  readonly type: string;
  /** Reads it, or throws. */
  readonly read: (value: unknown) => T;
}

/** The fields of a structure, in the chain's order. */
export type Shape = Readonly<Record<string, Kind<unknown>>>;

/** What is read from a structure. */
export type Values<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends Kind<infer T> ? T : never;
};

/** A small number. */
export const u32: Kind<number> = { type: "u32", read: integer };

/** An amount, or a fraction by 1e18. */
export const u128: Kind<bigint> = { type: "u128", read: amount };

/** Text of an owner. */
export const utf8: Kind<string> = { type: "Bytes", read: text };

/** Bytes that may be anything. */
export const binary: Kind<Uint8Array> = { type: "Bytes", read: bytes };

/** An account. */
export const accountId: Kind<string> = { type: "[u8; 20]", read: account };

/** What may be absent. */
export function option<T>(kind: Kind<T>): Kind<T | undefined> {
  return {
    type: `Option<${kind.type}>`,
    read: (value) => optional(value, kind.read),
  };
}

/** A list or a set: they are encoded alike. */
export function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    type: `Vec<${kind.type}>`,
    read: (value) => list(value).map(kind.read),
  };
}

/** A map, as its pairs: read as such, it encodes to the same bytes. */
export function pairsOf<K, V>(
  key: Kind<K>,
  value: Kind<V>,
): Kind<readonly (readonly [K, V])[]> {
  return {
    type: `Vec<(${key.type}, ${value.type})>`,
    read: (pairs) =>
      list(pairs).map((pair) => {
        const [left, right] = list(pair);
        return [key.read(left), value.read(right)] as const;
      }),
  };
}

/** A variant without data, by its name in lower case. */
export function variant<T extends string>(
  type: string,
  names: readonly T[],
): Kind<T> {
  return {
    type,
    read: (value) => {
      const found = names.find((name) => name === word(value));
      if (found !== undefined) return found;
      throw new Error(`"${value}" is not one of ${names.join(", ")}`);
    },
  };
}

/** A structure that the metadata describes under a name of its own. */
export function structure<S extends Shape>(
  type: string,
  shape: S,
): Kind<Values<S>> {
  return { type, read: (value) => readShape(shape, value) };
}

/** Reads a structure's fields, every one of them. */
export function readShape<S extends Shape>(
  shape: S,
  value: unknown,
): Values<S> {
  const fields = fieldsOf(value);
  return Object.fromEntries(
    Object.entries(shape).map(([name, kind]) => {
      try {
        return [name, kind.read(fields[name])];
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : cause;
        throw new Error(`${name}: ${why}`, { cause });
      }
    }),
  ) as Values<S>;
}
