import { equal } from "../../core/bytes.ts";
import type { LocalStorage } from "../../records/local_storage.ts";
import { fingerprint } from "./fingerprint.ts";
import {
  ALL_KEYS,
  COMPARE_LIMITS,
  type KeyRange,
  type KeyState,
} from "./repair_wire.ts";

/** Most records of a portion, if its first key has no more. */
const RECORDS = 1_024;

/** Neighbouring keys that we hold, and the range in which they are all. */
export interface Portion extends Pick<KeyRange, "after" | "last"> {
  /** The keys, ascending. */
  readonly keys: readonly KeyState[];
}

/** All that is held, in portions that are small enough to be looked at in one go. */
export function* portions(storage: LocalStorage): Generator<Portion> {
  let after: Uint8Array = ALL_KEYS.first;
  let keys: { key: Uint8Array; fingerprint: bigint }[] = [];
  let records = 0;
  for (const record of storage.scan()) {
    let present = keys.at(-1);
    if (present === undefined || !equal(present.key, record.key)) {
      const isFull = keys.length >= COMPARE_LIMITS.keys || records >= RECORDS;
      if (isFull && present !== undefined) {
        yield { after, last: present.key, keys };
        after = present.key;
        keys = [];
        records = 0;
      }
      present = { key: record.key, fingerprint: 0n };
      keys.push(present);
    }
    present.fingerprint ^= fingerprint(record);
    records++;
  }
  if (keys.length > 0) yield { after, last: ALL_KEYS.last, keys };
}
