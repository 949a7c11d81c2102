import type { DhtRecord } from "./record.ts";

/** What is known of a held record without its value. */
export interface HeldFacts extends Omit<DhtRecord, "value"> {
  /** Who answers for it: the owner that its subkey names, or the peer that sent it. */
  readonly owner: string;
  /** The bytes that it counts for. */
  readonly size: number;
  /** Whether it is a tombstone. */
  readonly deleted: boolean;
}

/** A record as it is held. */
export interface HeldRecord extends HeldFacts, DhtRecord {}

/** What one owner's records take. */
export interface OwnerUsage {
  /** The owner. */
  readonly owner: string;
  /** Its records. */
  readonly records: number;
  /** Their bytes. */
  readonly bytes: number;
}

/** Where to go on in the order of key and subkey. */
export type Place = Pick<DhtRecord, "key" | "subkey">;

/**
 * Where held records are: rows by key and subkey, without any rule of their
 * own. What is handed out is never changed, and may be expired. Every method
 * may fail when the medium does.
 */
export interface RecordTable {
  /** Rises when rows that were put are lost, since they could not be kept. */
  readonly losses: number;
  /** What each owner's rows take. */
  usage(): Iterable<OwnerUsage>;
  /** One row. */
  get(key: Uint8Array, subkey: Uint8Array): HeldRecord | undefined;
  /** A key's rows, ascending by subkey, after a subkey if one is given. */
  rows(key: Uint8Array, after?: Uint8Array): Iterable<HeldRecord>;
  /** The same without values. */
  facts(key: Uint8Array): Iterable<HeldFacts>;
  /** How many rows a key has. */
  count(key: Uint8Array): number;
  /** All rows, ascending by key and subkey, after a place if one is given. */
  scan(after?: Place): Iterable<HeldRecord>;
  /** Rows of an owner, soonest expiration first. */
  soonestOf(owner: string, most: number): readonly HeldFacts[];
  /** Rows that expire before a time, soonest first. */
  soonest(before: number, most: number): readonly HeldFacts[];
  /** Writes a row, in place of the one with its key and subkey. */
  put(row: HeldRecord): void;
  /** Removes a row. */
  remove(place: Place): void;
  /** Waits until all that was put is safe. @throws when it is not, and gone. */
  committed(): Promise<void>;
  /** Commits, and lets go of the medium. */
  close(): Promise<void>;
}
