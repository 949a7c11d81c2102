import type { Bytes } from "../../core/bytes.ts";
import { DHT_ID_BYTES } from "../../records/dht_id.ts";
import type { Decoder } from "../../records/decoder.ts";
import { DecodeError } from "../../records/errors.ts";
import { fields, key, list, read, write } from "../wire.ts";
import { FINGERPRINT_BYTES, fromBytes, toBytes } from "./fingerprint.ts";

/** Methods by which holders of the same keys compare and complete their records. */
export const REPAIR_METHODS = {
  /** Whether two holders have the same records in a range of keys. */
  range: "dht.range",
  /** What a holder has under some keys, by fingerprint. */
  compare: "dht.compare",
  /** Hands copies over; the body is that of a store. */
  copy: "dht.copy",
} as const;

/** Bounds of a comparison. */
export const COMPARE_LIMITS = {
  /** Most keys in a call. */
  keys: 256,
  /** Most records told of in an answer; the first key's are always told. */
  records: 8_192,
} as const;

/** A range of keys, from behind `after` up to and with `last`. */
export interface KeyRange {
  /** The key before the first. */
  readonly after: Uint8Array;
  /** The last key. */
  readonly last: Uint8Array;
  /** What the caller has there of what both should have. */
  readonly fingerprint: bigint;
}

/** A key and what the caller has under it. */
export interface KeyState {
  /** The key. */
  readonly key: Uint8Array;
  /** The fingerprint of its records. */
  readonly fingerprint: bigint;
}

/** One record, as far as comparing needs. */
export interface RecordState {
  /** See `subkeyName`. */
  readonly name: bigint;
  /** DHT time (Unix seconds). */
  readonly expiration: number;
  /** See `fingerprint`. */
  readonly fingerprint: bigint;
}

/**
 * What the callee has under a key: the same, other records, or so many that
 * they did not fit into this answer.
 */
export type KeyAnswer = "same" | "later" | readonly RecordState[];

function mark(input: Decoder): bigint {
  const bytes = input.binary();
  if (bytes.length === FINGERPRINT_BYTES) return fromBytes(bytes);
  throw new DecodeError(`A fingerprint has ${FINGERPRINT_BYTES} bytes.`);
}

/** The body of a range comparison. */
export function encodeRange(range: KeyRange): Bytes {
  return write((out) => {
    out.arrayHead(3);
    out.binary(range.after);
    out.binary(range.last);
    out.binary(toBytes(range.fingerprint));
  });
}

/** The range to compare. @throws {DecodeError} */
export function decodeRange(bytes: Uint8Array): KeyRange {
  return read(bytes, (input) => {
    fields(input, 3);
    return { after: key(input), last: key(input), fingerprint: mark(input) };
  });
}

/** The answer to a range comparison. */
export function encodeRangeAnswer(isSame: boolean): Bytes {
  return write((out) => out.value(isSame));
}

/** Whether the callee has the same. @throws {DecodeError} */
export function decodeRangeAnswer(bytes: Uint8Array): boolean {
  return read(bytes, (input) => {
    const isSame = input.value();
    if (typeof isSame === "boolean") return isSame;
    throw new DecodeError("It is neither yes nor no.");
  });
}

/** The body of a comparison. */
export function encodeCompare(states: readonly KeyState[]): Bytes {
  return write((out) => {
    out.arrayHead(states.length);
    for (const state of states) {
      out.arrayHead(2);
      out.binary(state.key);
      out.binary(toBytes(state.fingerprint));
    }
  });
}

/** The keys to compare. @throws {DecodeError} */
export function decodeCompare(bytes: Uint8Array): KeyState[] {
  return read(bytes, (input) =>
    list(input, COMPARE_LIMITS.keys, () => {
      fields(input, 2);
      return { key: key(input), fingerprint: mark(input) };
    }));
}

/** The answer to a comparison. */
export function encodeCompareAnswers(answers: readonly KeyAnswer[]): Bytes {
  return write((out) => {
    out.arrayHead(answers.length);
    for (const answer of answers) {
      out.arrayHead(2);
      out.value(ANSWERS.indexOf(typeof answer === "string" ? answer : "other"));
      const records = typeof answer === "string" ? [] : answer;
      out.arrayHead(records.length);
      for (const record of records) {
        out.arrayHead(3);
        out.binary(toBytes(record.name));
        out.float(record.expiration);
        out.binary(toBytes(record.fingerprint));
      }
    }
  });
}

/** The answers for so many keys. @throws {DecodeError} */
export function decodeCompareAnswers(
  bytes: Uint8Array,
  count: number,
): KeyAnswer[] {
  return read(bytes, (input) => {
    fields(input, count);
    return Array.from({ length: count }, (): KeyAnswer => {
      fields(input, 2);
      const code = input.value();
      const answer = typeof code === "number" ? ANSWERS[code] : undefined;
      const records = list(input, Infinity, () => {
        fields(input, 3);
        return {
          name: mark(input),
          expiration: input.finiteFloat(),
          fingerprint: mark(input),
        };
      });
      if (answer === undefined) throw new DecodeError("An answer is unknown.");
      return answer === "other" ? records : answer;
    });
  });
}

const ANSWERS = ["same", "later", "other"] as const;

/** The first and the last key there can be. */
export const ALL_KEYS = {
  first: new Uint8Array(DHT_ID_BYTES),
  last: new Uint8Array(DHT_ID_BYTES).fill(0xff),
} as const;
