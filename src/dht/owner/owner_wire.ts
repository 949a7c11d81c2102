import type { Bytes } from "../../core/bytes.ts";
import type { Decoder } from "../../records/decoder.ts";
import { DIGEST_BYTES } from "../../records/digest.ts";
import type { Encoder } from "../../records/encoder.ts";
import { DecodeError } from "../../records/errors.ts";
import type { RecordPage } from "../../records/local_storage.ts";
import type { DhtRecord } from "../../records/record.ts";
import { fields, item, key, list, read, subkey, write } from "../wire.ts";

/** Methods for the owners of records. */
export const OWNER_METHODS = {
  storeIf: "dht.store-if",
  list: "dht.list",
  watch: "dht.watch",
} as const;

/** What a list asks for: a part of what lives under a key. */
export interface ListQuery {
  /** The key's DHTID. */
  readonly key: Uint8Array;
  /** Where to go on: after this subkey; from the first on when absent. */
  readonly after?: Uint8Array | undefined;
  /** The most records wanted. */
  readonly most: number;
}

/** What a watcher is told: records that changed, that some were left out, or which ones it was told of that were taken back. */
export type Change =
  | readonly DhtRecord[]
  | { readonly takenBack: readonly DhtRecord[] }
  | "lagged";

const OPTIONAL = { none: 0, some: 1 } as const;

function optional<T>(input: Decoder, parse: () => T): T | undefined {
  const count = input.arrayHead();
  if (count === OPTIONAL.none) return undefined;
  if (count === OPTIONAL.some) return parse();
  throw new DecodeError("A part is there at most once.");
}

function writeOptional(out: Encoder, bytes: Uint8Array | null | undefined) {
  if (bytes === undefined || bytes === null) out.arrayHead(OPTIONAL.none);
  else {
    out.arrayHead(OPTIONAL.some);
    out.binary(bytes);
  }
}

/**
 * The steps of a conditional store: the record's place is claimed for it; it is
 * stored; or the claim is given up, and the record taken back.
 */
export const STORE_STEPS = ["claim", "settle", "withdraw"] as const;

/** One of {@linkcode STORE_STEPS}. */
export type StoreStep = typeof STORE_STEPS[number];

/** A step of a conditional store. */
export interface StoreIf {
  /** Which one. */
  readonly step: StoreStep;
  /** What is to be stored. */
  readonly record: DhtRecord;
  /** Digest of what must be there; `null` for nothing. */
  readonly expected: Uint8Array | null;
}

/** The body of a step of a conditional store. */
export function encodeStoreIf({ step, record, expected }: StoreIf): Bytes {
  return write((out) => {
    out.arrayHead(6);
    out.value(STORE_STEPS.indexOf(step));
    out.binary(record.key);
    writeItem(out, record);
    writeOptional(out, expected);
  });
}

/** A step of a conditional store. @throws {DecodeError} */
export function decodeStoreIf(bytes: Uint8Array): StoreIf {
  return read(bytes, (input) => {
    fields(input, 6);
    const code = input.value();
    const step = typeof code === "number" ? STORE_STEPS[code] : undefined;
    if (step === undefined) throw new DecodeError("A step is unknown.");
    const record = { key: key(input), ...item(input) };
    const expected = optional(input, () => input.binary()) ?? null;
    if (expected !== null && expected.length !== DIGEST_BYTES) {
      throw new DecodeError(`A digest has ${DIGEST_BYTES} bytes.`);
    }
    return { step, record, expected };
  });
}

/** The body of a list. */
export function encodeList(query: ListQuery): Bytes {
  return write((out) => {
    out.arrayHead(3);
    out.binary(query.key);
    writeOptional(out, query.after);
    out.value(query.most);
  });
}

/** A list. @throws {DecodeError} */
export function decodeList(bytes: Uint8Array): ListQuery {
  return read(bytes, (input) => {
    fields(input, 3);
    const place = key(input);
    const after = optional(input, () => subkey(input));
    const most = input.value();
    if (typeof most !== "number" || !Number.isSafeInteger(most) || most < 1) {
      throw new DecodeError("A count is a whole number from 1.");
    }
    return { key: place, after, most };
  });
}

/** The answer to a list. */
export function encodePage({ records, more }: RecordPage): Bytes {
  return write((out) => {
    out.arrayHead(2);
    out.value(more);
    writeItems(out, records);
  });
}

/** The records of a list's answer. @throws {DecodeError} */
export function decodePage(bytes: Uint8Array, place: Uint8Array): RecordPage {
  return read(bytes, (input) => {
    fields(input, 2);
    const more = input.value();
    if (typeof more !== "boolean") throw new DecodeError("A flag is missing.");
    return { more, records: items(input, place) };
  });
}

/** The body of a watch. */
export function encodeWatch(place: Uint8Array): Bytes {
  return write((out) => out.binary(place));
}

/** The key of a watch. @throws {DecodeError} */
export function decodeWatch(bytes: Uint8Array): Uint8Array {
  return read(bytes, key);
}

/** An item of a watch's stream. */
export function encodeChange(change: Change): Bytes {
  return write((out) => {
    if (change === "lagged") out.value(null);
    else if ("takenBack" in change) writeItems(out, change.takenBack, true);
    else writeItems(out, change);
  });
}

/** What an item of a watch's stream tells. @throws {DecodeError} */
export function decodeChange(bytes: Uint8Array, place: Uint8Array): Change {
  if (bytes.length === 1 && bytes[0] === 0xc0) return "lagged";
  return read(bytes, (input) => {
    const length = input.arrayHead();
    const isTakenBack = length > 0 && input.skipNil();
    const count = isTakenBack ? length - 1 : length;
    const records = Array.from({ length: count }, () => change(input, place));
    return isTakenBack ? { takenBack: records } : records;
  });
}

/** A nil comes before records that were taken back. */
function writeItems(
  out: Encoder,
  records: readonly DhtRecord[],
  areTakenBack = false,
): void {
  out.arrayHead(records.length + (areTakenBack ? 1 : 0));
  if (areTakenBack) out.value(null);
  for (const record of records) {
    out.arrayHead(3);
    writeItem(out, record);
  }
}

function writeItem(out: Encoder, record: DhtRecord): void {
  out.binary(record.subkey);
  out.binary(record.value);
  out.float(record.expiration);
}

function items(input: Decoder, place: Uint8Array): DhtRecord[] {
  return list(input, Infinity, () => change(input, place));
}

function change(input: Decoder, place: Uint8Array): DhtRecord {
  fields(input, 3);
  return { key: place, ...item(input) };
}
