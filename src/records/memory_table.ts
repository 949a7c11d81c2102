import { compare, toHex } from "../core/bytes.ts";
import { Heap } from "./heap.ts";
import type { HeldRecord, OwnerUsage, Place, RecordTable } from "./table.ts";

/** The rows of one key. */
interface Rows {
  readonly key: Uint8Array;
  /** The key as text, which sorts alike and compares fast. */
  readonly name: string;
  readonly bySubkey: Map<string, HeldRecord>;
  /** Ascending by subkey; absent until it is asked for anew. */
  sorted: readonly HeldRecord[] | undefined;
}

/** Keys that came and went are kept up to so many, and twice those that are there. */
const SPARE = 1_024;

const expiration = (row: HeldRecord) => row.expiration;

/** Records in memory, which end with the process. */
export class MemoryTable implements RecordTable {
  readonly #keys = new Map<string, Rows>();
  /** Ascending by key, some of them empty since, without those that came since. */
  #sorted: readonly Rows[] = [];
  #came: Rows[] = [];
  #hasGone = false;
  readonly #soonest = new Heap<HeldRecord>(expiration);
  readonly #owners = new Map<string, Heap<HeldRecord>>();
  /** Nothing is ever lost. */
  readonly losses = 0;

  /** What each owner's rows take: nothing at first. */
  usage(): Iterable<OwnerUsage> {
    return [];
  }

  /** One row. */
  get(key: Uint8Array, subkey: Uint8Array): HeldRecord | undefined {
    return this.#keys.get(toHex(key))?.bySubkey.get(toHex(subkey));
  }

  /** A key's rows, ascending by subkey. */
  rows(key: Uint8Array, after?: Uint8Array): Iterable<HeldRecord> {
    const rows = this.#keys.get(toHex(key));
    return rows === undefined ? [] : sortedAfter(rows, after);
  }

  /** The same. */
  facts(key: Uint8Array): Iterable<HeldRecord> {
    return this.rows(key);
  }

  /** How many rows a key has. */
  count(key: Uint8Array): number {
    return this.#keys.get(toHex(key))?.bySubkey.size ?? 0;
  }

  /** All rows, ascending by key and subkey. */
  *scan(after?: Place): Iterable<HeldRecord> {
    // Who scans keeps the order of its beginning, whatever comes meanwhile.
    const keys = this.#ascending();
    const first = after === undefined
      ? 0
      : firstWhere(keys, ({ key }) => compare(key, after.key) >= 0);
    for (let at = first; at < keys.length; at++) {
      const rows = keys[at] as Rows;
      const begun = after !== undefined && compare(rows.key, after.key) === 0;
      yield* sortedAfter(rows, begun ? after.subkey : undefined);
    }
  }

  /** Rows of an owner, soonest expiration first. */
  soonestOf(owner: string, most: number): HeldRecord[] {
    return this.#owners.get(owner)?.first(most) ?? [];
  }

  /** Rows that expire before a time, soonest first. */
  soonest(before: number, most: number): HeldRecord[] {
    const [next] = this.#soonest.first(1);
    if (next === undefined || next.expiration >= before) return [];
    return this.#soonest.first(most)
      .filter((row) => row.expiration < before);
  }

  /** Writes a row. */
  put(row: HeldRecord): void {
    this.remove(row);
    const name = toHex(row.key);
    let rows = this.#keys.get(name);
    if (rows === undefined) {
      rows = { key: row.key, name, bySubkey: new Map(), sorted: undefined };
      this.#keys.set(name, rows);
      // What came and went while nobody scanned must not add up.
      if (this.#came.length > SPARE + 2 * this.#keys.size) {
        this.#came = this.#came.filter(isLive);
      }
      this.#came.push(rows);
    }
    rows.bySubkey.set(toHex(row.subkey), row);
    rows.sorted = undefined;
    this.#soonest.add(row);
    let owned = this.#owners.get(row.owner);
    if (owned === undefined) {
      owned = new Heap<HeldRecord>(expiration);
      this.#owners.set(row.owner, owned);
    }
    owned.add(row);
  }

  /** Removes a row. */
  remove({ key, subkey }: Place): void {
    const name = toHex(key);
    const rows = this.#keys.get(name);
    const row = rows?.bySubkey.get(toHex(subkey));
    if (rows === undefined || row === undefined) return;
    rows.bySubkey.delete(toHex(subkey));
    rows.sorted = undefined;
    if (rows.bySubkey.size === 0) {
      this.#keys.delete(name);
      this.#hasGone = true;
    }
    this.#soonest.delete(row);
    const owned = this.#owners.get(row.owner);
    owned?.delete(row);
    if (owned?.size === 0) this.#owners.delete(row.owner);
  }

  /** Memory is as safe as it gets. */
  committed(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing is kept open. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** All keys; only what changed is put in order, as scans and changes take turns. */
  #ascending(): readonly Rows[] {
    if (this.#came.length > 0 || this.#hasGone) {
      const came = this.#came.filter(isLive)
        .sort((a, b) => a.name < b.name ? -1 : 1);
      this.#sorted = merged(this.#sorted.filter(isLive), came);
      this.#came = [];
      this.#hasGone = false;
    }
    return this.#sorted;
  }
}

function isLive({ bySubkey }: Rows): boolean {
  return bySubkey.size > 0;
}

/** One ascending list of two. */
function merged(a: readonly Rows[], b: readonly Rows[]): Rows[] {
  const all: Rows[] = [];
  let at = 0;
  for (const next of b) {
    for (let each = a[at]; each && each.name < next.name; each = a[++at]) {
      all.push(each);
    }
    all.push(next);
  }
  for (; at < a.length; at++) all.push(a[at] as Rows);
  return all;
}

function sortedAfter(
  rows: Rows,
  after: Uint8Array | undefined,
): readonly HeldRecord[] {
  rows.sorted ??= [...rows.bySubkey.values()]
    .sort((a, b) => compare(a.subkey, b.subkey));
  if (after === undefined) return rows.sorted;
  const first = firstWhere(
    rows.sorted,
    ({ subkey }) => compare(subkey, after) > 0,
  );
  return rows.sorted.slice(first);
}

/** The place of the first item of which it holds, in a list where it holds of all that follow. */
function firstWhere<T>(
  items: readonly T[],
  holds: (item: T) => boolean,
): number {
  let low = 0;
  for (let high = items.length; low < high;) {
    const middle = (low + high) >> 1;
    if (holds(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
