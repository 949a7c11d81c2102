import type { Bytes } from "../core/bytes.ts";
import { Decoder } from "../records/decoder.ts";
import { Encoder } from "../records/encoder.ts";
import { DecodeError } from "../records/errors.ts";
import { DHT_ID_BYTES } from "../records/dht_id.ts";
import { decode } from "../records/serializer.ts";
import type { RecordPage } from "../records/local_storage.ts";
import type { DhtRecord } from "../records/record.ts";

/** Methods of the DHT between nodes. */
export const METHODS = {
  ping: "dht.ping",
  store: "dht.store",
  find: "dht.find",
} as const;

/** Bounds of what one call carries. */
export const WIRE_LIMITS = {
  /** Most records in a store. */
  records: 256,
  /** Most keys in a find. */
  keys: 256,
  /** Most subkeys asked for under one key. */
  subkeys: 1024,
  /** Longest serialized subkey, bytes. */
  subkeyBytes: 2048,
  /** Longest value with its signature, bytes. */
  valueBytes: 1024 * 1024,
} as const;

/** What a find asks for: all that lives under a key, or some subkeys of it. */
export interface FindQuery {
  /** The key's DHTID. */
  readonly key: Uint8Array;
  /** Serialized subkeys; all when absent. */
  readonly subkeys?: readonly Uint8Array[] | undefined;
}

/**
 * What a replica answers for one record. `refused` is the word of the rules;
 * what follows `later` are refusals that say why.
 */
export const STORE_ANSWERS = [
  "stored",
  "older",
  "refused",
  "later",
  "conflict",
  "expired",
  "too-long-lived",
  "record-too-large",
  "key-full",
  "owner-full",
  "storage-full",
  "storage-failed",
] as const;

/** A replica's answer for one record. */
export type StoreAnswer = typeof STORE_ANSWERS[number];

/** The bytes that a body's parts make. */
export function write(build: (out: Encoder) => void): Bytes {
  const out = new Encoder();
  build(out);
  return out.bytes();
}

/** What a whole body says. @throws {DecodeError} */
export function read<T>(bytes: Uint8Array, parse: (input: Decoder) => T): T {
  const input = new Decoder(bytes);
  const value = parse(input);
  input.end();
  return value;
}

/** The items of a list, which has a bounded number of them. */
export function list<T>(input: Decoder, most: number, item: () => T): T[] {
  const length = input.arrayHead();
  if (length > most) throw new DecodeError(`It has more than ${most} items.`);
  return Array.from({ length }, item);
}

/** The head of a part, which has so many fields. */
export function fields(input: Decoder, count: number): void {
  if (input.arrayHead() !== count) {
    throw new DecodeError(`A part does not have ${count} fields.`);
  }
}

function bounded(input: Decoder, most: number): Uint8Array {
  const bytes = input.binary();
  if (bytes.length <= most) return bytes;
  throw new DecodeError(`A byte string is longer than ${most} bytes.`);
}

/** A key. */
export function key(input: Decoder): Uint8Array {
  const bytes = input.binary();
  if (bytes.length === DHT_ID_BYTES) return bytes;
  throw new DecodeError(`A key has ${DHT_ID_BYTES} bytes.`);
}

/** A subkey, which must be exactly one serialized value. */
export function subkey(input: Decoder): Uint8Array {
  const bytes = bounded(input, WIRE_LIMITS.subkeyBytes);
  decode(bytes);
  return bytes;
}

/** The body of a store. */
export function encodeStore(records: readonly DhtRecord[]): Bytes {
  return write((out) => {
    out.arrayHead(records.length);
    for (const record of records) {
      out.arrayHead(4);
      out.binary(record.key);
      out.binary(record.subkey);
      out.binary(record.value);
      out.float(record.expiration);
    }
  });
}

/** The records of a store. @throws {DecodeError} */
export function decodeStore(bytes: Uint8Array): DhtRecord[] {
  return read(bytes, (input) =>
    list(input, WIRE_LIMITS.records, () => {
      fields(input, 4);
      return { key: key(input), ...item(input) };
    }));
}

/** The answer to a store. */
export function encodeStoreAnswers(answers: readonly StoreAnswer[]): Bytes {
  return write((out) =>
    out.value(answers.map((answer) => STORE_ANSWERS.indexOf(answer)))
  );
}

/** The answers to a store of so many records. @throws {DecodeError} */
export function decodeStoreAnswers(
  bytes: Uint8Array,
  count: number,
): StoreAnswer[] {
  return read(bytes, (input) => {
    const answers = list(input, count, () => {
      const code = input.value();
      const answer = typeof code === "number" ? STORE_ANSWERS[code] : undefined;
      if (answer === undefined) throw new DecodeError("An answer is unknown.");
      return answer;
    });
    if (answers.length === count) return answers;
    throw new DecodeError("The answer covers other records.");
  });
}

/** The body of a find. */
export function encodeFind(queries: readonly FindQuery[]): Bytes {
  return write((out) => {
    out.arrayHead(queries.length);
    for (const query of queries) {
      out.arrayHead(2);
      out.binary(query.key);
      out.value(query.subkeys === undefined ? null : [...query.subkeys]);
    }
  });
}

/** The queries of a find. @throws {DecodeError} */
export function decodeFind(bytes: Uint8Array): FindQuery[] {
  return read(bytes, (input) =>
    list(input, WIRE_LIMITS.keys, () => {
      fields(input, 2);
      const place = key(input);
      const subkeys = input.value();
      if (subkeys === null) return { key: place };
      if (!Array.isArray(subkeys) || subkeys.length > WIRE_LIMITS.subkeys) {
        throw new DecodeError("The subkeys are no short list.");
      }
      return { key: place, subkeys: subkeys.map(asBytes) };
    }));
}

function asBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new DecodeError("A subkey is no byte string.");
}

/**
 * The answer to a find: the records under each key, in the queries' order. A
 * nil after the last record says that more follow, which a list brings.
 */
export function encodeFound(
  found: readonly (readonly DhtRecord[])[],
  more: readonly boolean[] = [],
): Bytes {
  return write((out) => {
    out.arrayHead(found.length);
    found.forEach((records, i) => {
      out.arrayHead(records.length + (more[i] ? 1 : 0));
      for (const record of records) {
        out.arrayHead(3);
        out.binary(record.subkey);
        out.binary(record.value);
        out.float(record.expiration);
      }
      if (more[i]) out.value(null);
    });
  });
}

/** The records found for each query. @throws {DecodeError} */
export function decodeFound(
  bytes: Uint8Array,
  queries: readonly FindQuery[],
): RecordPage[] {
  return read(bytes, (input) => {
    fields(input, queries.length);
    return queries.map(({ key }) => {
      const records: DhtRecord[] = [];
      let more = false;
      for (let left = input.arrayHead(); left > 0; left--) {
        if (left === 1 && input.skipNil()) more = true;
        else {
          fields(input, 3);
          records.push({ key, ...item(input) });
        }
      }
      return { records, more };
    });
  });
}

/** Subkey, value and expiration. */
export function item(input: Decoder): Omit<DhtRecord, "key"> {
  return {
    subkey: subkey(input),
    value: bounded(input, WIRE_LIMITS.valueBytes),
    expiration: input.finiteFloat(),
  };
}

/** The answer to a ping: the callee's DHT time. */
export function encodePong(time: number): Bytes {
  return write((out) => out.float(time));
}

/** The DHT time of a ping's answer. @throws {DecodeError} */
export function decodePong(bytes: Uint8Array): number {
  return read(bytes, (input) => input.finiteFloat());
}
