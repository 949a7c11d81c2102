import { Float, type MeshValue, Tuple } from "../../records/values.ts";
import { usageError } from "../args.ts";

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

const SPECIAL = /^\$(bytes|tuple|int|float|map)$/;

/**
 * A record's value in JSON. What JSON has no word for is an object of one
 * field: `{"$bytes": "<hex>"}`, `{"$tuple": […]}`, `{"$int": "…"}` beyond 2^53,
 * and `{"$map": [[key, value], …]}` for keys that are not plain text, or would
 * change places.
 */
export function toJson(value: MeshValue): Json {
  if (value instanceof Float) return { $float: value.value };
  if (typeof value === "bigint") return { $int: value.toString() };
  if (value instanceof Uint8Array) return { $bytes: value.toHex() };
  if (value instanceof Tuple) return { $tuple: value.items.map(toJson) };
  if (value instanceof Map) return mapToJson(value);
  if (Array.isArray(value)) return value.map(toJson);
  return value as null | boolean | number | string;
}

function mapToJson(map: ReadonlyMap<MeshValue, MeshValue>): Json {
  const entries = [...map];
  const plain = entries.every(([key]) =>
    typeof key === "string" && !SPECIAL.test(key) && key !== "__proto__"
  );
  if (plain) {
    const object = Object.fromEntries(
      entries.map(([key, value]) => [key as string, toJson(value)]),
    );
    // Keys that look like numbers come first there, and records keep an order.
    const keys = Object.keys(object);
    if (keys.every((key, i) => key === entries[i]?.[0])) return object;
  }
  return { $map: entries.map(([key, value]) => [toJson(key), toJson(value)]) };
}

/** The value that a JSON text means, in the same notation. @throws {MeshError} `USAGE` */
export function parseValue(text: string, what: string): MeshValue {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw usageError(
      `${what} is not JSON: ${error instanceof Error ? error.message : error}`,
      'Texts need quotes in JSON: "\\"text\\"". Without the flag it is text as it is.',
    );
  }
  return fromJson(json, what);
}

function fromJson(json: Json, what: string): MeshValue {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map((each) => fromJson(each, what));
  const entries = Object.entries(json as Record<string, Json>);
  const [[name, inner] = ["", null]] = entries;
  if (entries.length === 1 && SPECIAL.test(name)) {
    return special(name, inner, what);
  }
  return new Map(
    entries.map(([key, value]) => [key, fromJson(value, what)]),
  );
}

function special(name: string, inner: Json, what: string): MeshValue {
  try {
    if (name === "$bytes") return Uint8Array.fromHex(inner as string);
    if (name === "$int") return BigInt(inner as string);
    if (name === "$float" && typeof inner === "number") return new Float(inner);
    if (Array.isArray(inner)) {
      if (name === "$tuple") {
        return new Tuple(inner.map((each) => fromJson(each, what)));
      }
      return new Map(
        inner.map((pair): [MeshValue, MeshValue] => {
          const [key, value] = pair as [Json, Json];
          return [fromJson(key, what), fromJson(value, what)];
        }),
      );
    }
  } catch {
    // Told below.
  }
  throw usageError(
    `${what} has a ${name} that means nothing.`,
    'Write {"$bytes": "<hex>"}, {"$tuple": [1, 2]}, {"$int": "123"}, ' +
      '{"$float": 1} or {"$map": [["key", 1]]}.',
  );
}

/** A value for people: texts as they are, bytes that are text too, the rest as JSON. */
export function display(value: MeshValue): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array && isAscii(value)) {
    return new TextDecoder().decode(value);
  }
  return JSON.stringify(toJson(value));
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((byte) => byte >= 32 && byte < 127);
}
