import { equal, toHex } from "../core/bytes.ts";
import { Dictionary, supersedes } from "./dictionary.ts";
import { encode } from "./serializer.ts";
import type { DhtRecord } from "./record.ts";

/** Serialized `null`: the subkey of a record that has none. */
export const NO_SUBKEY: Uint8Array = encode(null);

/** Whether a record stands alone under its key. */
export function isPlain(record: Pick<DhtRecord, "subkey">): boolean {
  return equal(record.subkey, NO_SUBKEY);
}

/** What became of a record: `full` when the storage's bounds are reached. */
export type StoreOutcome = "stored" | "older" | "expired" | "full";

/** Bounds of a {@linkcode LocalStorage}. */
export interface StorageBounds {
  /** Most keys. */
  readonly keys: number;
  /** Most live subkeys of one key. */
  readonly subkeys: number;
  /** Most bytes of all keys, subkeys and values together. */
  readonly bytes: number;
}

const BOUNDS: StorageBounds = {
  keys: 65_536,
  subkeys: 4_096,
  bytes: 64 * 1024 * 1024,
};

/** Expired records of keys that nobody asks for are looked for this often, s. */
const SWEEP_PERIOD = 1;

interface Plain {
  readonly value: Uint8Array;
  readonly expiration: number;
}

/**
 * The records that this peer holds.
 *
 * A plain record and a dictionary under one key replace each other when they
 * expire later. What is handed out is never what is held: nothing read can be
 * written through.
 */
export class LocalStorage {
  readonly #entries = new Map<string, Plain | Dictionary>();
  readonly #now: () => number;
  readonly #bounds: StorageBounds;
  #bytes = 0;
  #records = 0;
  #swept = 0;

  /** `now` gives the DHT time in seconds. */
  constructor(now: () => number, bounds: Partial<StorageBounds> = {}) {
    this.#now = now;
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  /** Live records, each subkey counting as one. */
  get records(): number {
    this.#sweep();
    return this.#records;
  }

  /** Stores a record that was validated. */
  store(record: DhtRecord): StoreOutcome {
    const { expiration } = record;
    if (!Number.isFinite(expiration) || expiration < this.#now()) {
      return "expired";
    }
    if (this.#now() >= this.#swept + SWEEP_PERIOD) this.#sweep();
    const key = toHex(record.key);
    const present = this.#live(key);
    if (present === undefined && this.#entries.size >= this.#bounds.keys) {
      return "full";
    }
    const size = sizeOf(record);
    if (this.#bytes + size > this.#bounds.bytes) return "full";
    const outcome = isPlain(record)
      ? this.#storePlain(key, record, present)
      : this.#storeItem(key, record, present);
    if (outcome === "stored") this.#bytes += size;
    return outcome;
  }

  /** Copies of the live records under a key; of some subkeys when they are given. */
  find(key: Uint8Array, subkeys?: readonly Uint8Array[]): DhtRecord[] {
    const present = this.#live(toHex(key));
    if (present === undefined) return [];
    if (!(present instanceof Dictionary)) {
      return [{ key, subkey: NO_SUBKEY, ...present }];
    }
    const items = subkeys === undefined
      ? [...present.items()]
      : subkeys.flatMap((subkey) => present.get(subkey) ?? []);
    return items.map((item) => ({ key, ...item }));
  }

  #storePlain(
    key: string,
    { value, expiration }: DhtRecord,
    present: Plain | Dictionary | undefined,
  ): StoreOutcome {
    if (present instanceof Dictionary) {
      if (expiration <= present.expiration) return "older";
    } else if (
      present !== undefined && !supersedes({ value, expiration }, present)
    ) return "older";
    this.#entries.set(key, { value, expiration });
    return "stored";
  }

  #storeItem(
    key: string,
    { subkey, value, expiration }: DhtRecord,
    present: Plain | Dictionary | undefined,
  ): StoreOutcome {
    if (present instanceof Dictionary) {
      if (
        present.size >= this.#bounds.subkeys &&
        present.get(subkey) === undefined
      ) return "full";
      return present.store({ subkey, value, expiration }) ? "stored" : "older";
    }
    if (present !== undefined && present.expiration >= expiration) {
      return "older";
    }
    const dictionary = new Dictionary(this.#now);
    dictionary.store({ subkey, value, expiration });
    this.#entries.set(key, dictionary);
    return "stored";
  }

  #live(key: string): Plain | Dictionary | undefined {
    const present = this.#entries.get(key);
    if (present === undefined) return undefined;
    const live = present instanceof Dictionary
      ? present.size > 0
      : present.expiration >= this.#now();
    if (live) return present;
    this.#entries.delete(key);
    return undefined;
  }

  /** Drops what is expired and counts what is left. */
  #sweep(): void {
    this.#swept = this.#now();
    this.#bytes = 0;
    this.#records = 0;
    for (const key of [...this.#entries.keys()]) {
      const present = this.#live(key);
      if (present === undefined) continue;
      const items = present instanceof Dictionary
        ? present.items()
        : [{ ...present, subkey: NO_SUBKEY }];
      for (const item of items) {
        this.#records++;
        this.#bytes += sizeOf(item);
      }
    }
  }
}

function sizeOf(record: Pick<DhtRecord, "subkey" | "value">): number {
  // The rest is what the key, the expiration and the maps take.
  return record.subkey.length + record.value.length + 128;
}
