// What the chain library gives as JSON, read strictly: the one place that knows
// how it writes numbers, bytes and names.
import { multiaddr } from "@multiformats/multiaddr";
import { fromHex } from "../../core/bytes.ts";
import { ChainUnreadableError } from "../errors.ts";

/** A structure's fields, by the names that the library gives them. */
export type Fields = Readonly<Record<string, unknown>>;

/** Nothing stops an owner from writing bytes that are no text. */
const lenient = new TextDecoder("utf-8", { fatal: false });

/** Reads an answer, whose faults are the chain's. @throws {ChainUnreadableError} */
export function strictly<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ChainUnreadableError(
      `The chain's answer is not ${what}: ${
        cause instanceof Error ? cause.message : cause
      }.`,
      { cause },
    );
  }
}

/** A structure. */
export function fieldsOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Fields;
  }
  throw new Error("fields are missing");
}

/** A list. */
export function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error("a list is missing");
}

/** What may be absent. */
export function optional<T>(
  value: unknown,
  decode: (value: unknown) => T,
): T | undefined {
  return value === null || value === undefined ? undefined : decode(value);
}

/** A number that fits in a double. */
export function integer(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw new Error(`${value} is no number`);
}

/** An amount; the library gives large ones as hex, small ones as numbers. */
export function amount(value: unknown): bigint {
  if (typeof value === "string" && /^0x[0-9a-f]+$/.test(value)) {
    return BigInt(value);
  }
  return BigInt(integer(value));
}

/** Bytes. */
export function bytes(value: unknown): Uint8Array {
  if (typeof value === "string" && value.startsWith("0x")) {
    return fromHex(value.slice(2));
  }
  throw new Error("bytes are missing");
}

/** Text; bytes that are none are replaced, so that they cannot hide the rest. */
export function text(value: unknown): string {
  return lenient.decode(bytes(value));
}

/** The name of a variant, in lower case. */
export function word(value: unknown): string {
  return typeof value === "string" ? value.toLowerCase() : "";
}

/** An account. */
export function account(value: unknown): string {
  const lower = word(value);
  if (/^0x[0-9a-f]{40}$/.test(lower)) return lower;
  throw new Error("an account is missing");
}

/** The text of a binary address; absent when it is none that we understand. */
export function addressText(value: unknown): string | undefined {
  const binary = bytes(value);
  try {
    return multiaddr(binary).toString();
  } catch {
    return undefined;
  }
}
