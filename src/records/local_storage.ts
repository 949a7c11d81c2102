import { equal } from "../core/bytes.ts";
import type { Metrics } from "../core/metrics.ts";
import { isExpected } from "./digest.ts";
import { makeRoom, makeRoomInKey } from "./eviction.ts";
import { MEMORY_LIMITS, sizeOf, type StorageLimits } from "./limits.ts";
import { MemoryTable } from "./memory_table.ts";
import {
  type DhtRecord,
  isPlain,
  isSame,
  NO_SUBKEY,
  supersedes,
} from "./record.ts";
import { Shares } from "./shares.ts";
import type { HeldFacts, HeldRecord, Place, RecordTable } from "./table.ts";
import { isTombstone } from "./tombstone.ts";

/** Why a record is not taken. */
export type StoreRefusal =
  /** Its expiration is past, or no number that could pass. */
  | "expired"
  /** It is larger than one record may be. */
  | "record-too-large"
  /** The key has as many subkeys as it may have. */
  | "key-full"
  /** Its owner has as many records, or bytes, as it may have. */
  | "owner-full"
  /** There is no room, and nobody whose records would go first. */
  | "storage-full"
  /** It cannot be kept safe: the medium failed. */
  | "storage-failed";

/**
 * What became of a record: `held` when the very same is there already, `older`
 * when what is there is newer, `conflict` when it is not what was expected.
 */
export type StoreOutcome =
  | "stored"
  | "held"
  | "older"
  | "conflict"
  | StoreRefusal;

/** Options of {@linkcode LocalStorage}. */
export interface LocalStorageOptions {
  /** Where the records are; in memory by default. */
  readonly table?: RecordTable;
  /** Bounds other than {@linkcode MEMORY_LIMITS}. */
  readonly limits?: Partial<StorageLimits>;
  /** Whose records never give way to a stranger's; nobody's by default. */
  readonly isMember?: (owner: string) => boolean;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** Who stores a record, and on what condition. */
export interface StoreOptions {
  /** Who answers for the record; its limits are charged. */
  readonly owner?: string;
  /** Digest of the record that must be there; `null` for none. */
  readonly expected?: Uint8Array | null | undefined;
  /** Is told, of a record that is stored, what it took the place of. */
  readonly onReplaced?:
    | ((replaced: HeldRecord | undefined) => void)
    | undefined;
}

/** Part of a key's records. */
export interface RecordPage {
  /** Ascending by subkey. */
  readonly records: readonly DhtRecord[];
  /** Whether more follow. */
  readonly more: boolean;
}

/** Expired records are looked for this often, s. */
const SWEEP_PERIOD = 1;
/** Expired records that are dropped in one step. */
const SWEEP_ROWS = 1_024;

/**
 * The records that this peer holds.
 *
 * The newest record of each subkey is kept, in whatever order they come. A
 * plain record is visible while it outlives every item of the key's dictionary;
 * otherwise the items are. Nothing that is read can be written through.
 */
export class LocalStorage {
  readonly #table: RecordTable;
  readonly #limits: StorageLimits;
  readonly #shares: Shares;
  readonly #metrics: Metrics | undefined;
  readonly #now: () => number;
  #losses = 0;
  #swept = -Infinity;

  /** `now` gives the DHT time in seconds. */
  constructor(now: () => number, options: LocalStorageOptions = {}) {
    this.#now = now;
    this.#metrics = options.metrics;
    this.#table = options.table ?? new MemoryTable();
    this.#limits = { ...MEMORY_LIMITS, ...options.limits };
    this.#shares = new Shares(options.isMember ?? (() => false));
    this.#shares.reset(this.#table.usage());
  }

  /** Records, each subkey counting as one; expired ones only until they are dropped. */
  get records(): number {
    this.#readSafely(undefined, () => this.#prepare());
    return this.#shares.records;
  }

  /** What the records count for, bytes. */
  get bytes(): number {
    return this.#shares.bytes;
  }

  /**
   * Stores a record that was validated. It is safe once
   * {@linkcode LocalStorage.committed} says so.
   */
  store(record: DhtRecord, options: StoreOptions = {}): StoreOutcome {
    try {
      this.#prepare();
      return this.#store(record, options);
    } catch {
      return "storage-failed";
    }
  }

  /** What a store would say without changing anything; `undefined` where it would look for room. */
  preview(
    record: DhtRecord,
    expected?: Uint8Array | null,
  ): Exclude<StoreOutcome, "stored"> | undefined {
    return this.#readSafely(
      "storage-failed",
      () => this.#objection(record, this.#at(record), expected),
    );
  }

  /**
   * Puts back what a record took the place of, if the very record is there
   * still. It is safe once {@linkcode LocalStorage.committed} says so.
   */
  restore(record: DhtRecord, replaced: HeldRecord | undefined): boolean {
    return this.#readSafely(false, () => {
      const row = this.#at(record);
      if (row === undefined || !isSame(row, record)) return false;
      this.#remove(row);
      const back = this.#live(replaced);
      if (back === undefined) return true;
      this.#table.put(back);
      this.#shares.add(back.owner, 1, back.size);
      return true;
    });
  }

  /** Whether the very record is there. */
  has(record: DhtRecord): boolean {
    return this.#readSafely(false, () => {
      const row = this.#at(record);
      return row !== undefined && isSame(row, record);
    });
  }

  /** Waits until everything stored so far is safe. @throws when it is not, and gone. */
  committed(): Promise<void> {
    return this.#table.committed();
  }

  /**
   * Copies of the records under a key that a reader needs: what is visible,
   * and every tombstone; of some subkeys when they are given.
   */
  find(key: Uint8Array, subkeys?: readonly Uint8Array[]): DhtRecord[] {
    if (subkeys === undefined) {
      return this.page(key, { bytes: Infinity, records: Infinity })
        .records.slice();
    }
    const others = subkeys.filter((each) => !equal(each, NO_SUBKEY));
    return this.#readSafely([], () =>
      [NO_SUBKEY, ...others]
        .map((subkey) => this.#live(this.#table.get(key, subkey)))
        .filter((row) => row !== undefined)
        .filter(this.#readable(key))
        .map(copyOf));
  }

  /** Part of what {@linkcode LocalStorage.find} gives: one record at least if there are any. */
  page(
    key: Uint8Array,
    bounds: { readonly bytes: number; readonly records: number },
    after?: Uint8Array,
  ): RecordPage {
    return this.#readSafely({ records: [], more: false }, () => {
      const records: DhtRecord[] = [];
      const wanted = this.#readable(key);
      let bytes = 0;
      for (const row of this.#table.rows(key, after)) {
        if (this.#live(row) === undefined || !wanted(row)) continue;
        bytes += row.size;
        const full = records.length >= bounds.records || bytes > bounds.bytes;
        if (full && records.length > 0) return { records, more: true };
        records.push(copyOf(row));
      }
      return { records, more: false };
    });
  }

  /** All live records under a key as they are held, hidden ones and tombstones too, ascending by subkey. */
  held(key: Uint8Array): DhtRecord[] {
    return this.#readSafely([], () =>
      [...this.#table.rows(key)]
        .filter((row) => this.#live(row) !== undefined)
        .map(copyOf));
  }

  /** All live records as they are held, hidden ones and tombstones too, ascending by key and subkey. */
  *scan(after?: Place): Generator<DhtRecord> {
    for (const row of this.#table.scan(after)) {
      if (this.#live(row) !== undefined) yield copyOf(row);
    }
  }

  /** Keeps what is safe, and lets go of the rest. */
  close(): Promise<void> {
    return this.#table.close();
  }

  #store(record: DhtRecord, options: StoreOptions): StoreOutcome {
    const { key, subkey, value, expiration } = record;
    const { owner = "", expected, onReplaced } = options;
    const row = this.#table.get(key, subkey);
    const objection = this.#objection(record, this.#live(row), expected);
    if (objection !== undefined) return objection;
    const next = {
      key,
      subkey,
      value,
      expiration,
      owner,
      size: sizeOf(record),
      deleted: isTombstone(record),
    };
    const refusal = this.#makeRoom(next, row);
    if (refusal !== undefined) return refusal;
    this.#table.put(next);
    if (row !== undefined) this.#shares.add(row.owner, -1, -row.size);
    this.#shares.add(owner, 1, next.size);
    onReplaced?.(this.#live(row));
    this.#metrics?.gauge("meshnode_records", this.#shares.records);
    this.#metrics?.gauge("meshnode_records_bytes", this.#shares.bytes);
    return next.deleted || this.#readable(key)(next) ? "stored" : "older";
  }

  /** Why a record is not stored where one is present, or none, as far as that shows before room is made. */
  #objection(
    record: DhtRecord,
    present: HeldRecord | undefined,
    expected: Uint8Array | null | undefined,
  ): Exclude<StoreOutcome, "stored"> | undefined {
    const { subkey, value, expiration } = record;
    if (!Number.isFinite(expiration) || expiration < this.#now()) {
      return "expired";
    }
    if (subkey.length + value.length > this.#limits.recordBytes) {
      return "record-too-large";
    }
    if (expected !== undefined && !isExpected(present, expected)) {
      return "conflict";
    }
    if (present === undefined || supersedes(record, present)) return undefined;
    return isSame(present, record) ? "held" : "older";
  }

  /** Sees to the limits; says which one is reached. */
  #makeRoom(
    next: HeldRecord,
    replaced: HeldRecord | undefined,
  ): StoreRefusal | undefined {
    const { owner, size, key } = next;
    const own = this.#shares.of(owner);
    const mine = replaced?.owner === owner ? replaced : undefined;
    if (
      own.records + 1 - (mine ? 1 : 0) > this.#limits.ownerRecords ||
      own.bytes + size - (mine?.size ?? 0) > this.#limits.ownerBytes
    ) return "owner-full";
    if (
      replaced === undefined && this.#table.count(key) >= this.#limits.subkeys
    ) {
      const given = makeRoomInKey(this.#table.facts(key), next, this.#shares);
      if (given === undefined) return "key-full";
      this.#evict(given, "key-full");
    }
    const wanted = {
      bytes: this.#shares.bytes + size - (replaced?.size ?? 0) -
        this.#limits.bytes,
      records: this.#shares.records + (replaced === undefined ? 1 : 0) -
        this.#limits.records,
    };
    const victims = makeRoom(this.#table, this.#shares, next, wanted);
    if (victims === undefined) return "storage-full";
    victims.forEach((victim) => this.#evict(victim, "storage-full"));
    return undefined;
  }

  /** Which of a key's live rows a reader needs. */
  #readable(key: Uint8Array): (row: HeldRecord) => boolean {
    const plain = this.#live(this.#table.get(key, NO_SUBKEY));
    const shown = plain !== undefined && !plain.deleted &&
      this.#outlivesItems(plain);
    return (row) => row.deleted || isPlain(row) === shown;
  }

  #outlivesItems(plain: HeldRecord): boolean {
    for (const item of this.#table.facts(plain.key)) {
      if (
        !item.deleted && !isPlain(item) && item.expiration >= plain.expiration
      ) return false;
    }
    return true;
  }

  /** A medium that fails hides what it holds, and stops nobody. */
  #readSafely<T>(nothing: T, read: () => T): T {
    try {
      return read();
    } catch {
      return nothing;
    }
  }

  #at({ key, subkey }: Place): HeldRecord | undefined {
    return this.#live(this.#table.get(key, subkey));
  }

  #live(row: HeldRecord | undefined): HeldRecord | undefined {
    return row !== undefined && row.expiration >= this.#now() ? row : undefined;
  }

  #evict(victim: HeldFacts, reason: string): void {
    this.#remove(victim);
    this.#metrics?.count("meshnode_records_evicted_total", {
      reason,
      owner: this.#shares.isMember(victim.owner) ? "member" : "stranger",
    });
  }

  #remove(row: Place & { readonly owner: string; readonly size: number }) {
    this.#table.remove(row);
    this.#shares.add(row.owner, -1, -row.size);
  }

  /** Counts anew after a loss, and drops some of what is expired. */
  #prepare(): void {
    if (this.#losses !== this.#table.losses) {
      this.#losses = this.#table.losses;
      this.#shares.reset(this.#table.usage());
    }
    const now = this.#now();
    if (now < this.#swept + SWEEP_PERIOD) return;
    const expired = this.#table.soonest(now, SWEEP_ROWS);
    expired.forEach((row) => this.#remove(row));
    // More is left: the next call goes on.
    if (expired.length < SWEEP_ROWS) this.#swept = now;
  }
}

function copyOf({ key, subkey, value, expiration }: HeldRecord): DhtRecord {
  return { key, subkey, value, expiration };
}
