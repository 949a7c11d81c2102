import { compare, toHex } from "../core/bytes.ts";
import type { HeldRecord } from "./table.ts";

/** All rows of one key, in memory. */
export class CachedRows {
  readonly #rows: Map<string, HeldRecord>;
  #sorted: readonly HeldRecord[] | undefined;
  /** What they count for. */
  bytes = 0;

  /** Takes the rows in, which come ascending by subkey. */
  constructor(rows: readonly HeldRecord[]) {
    this.#rows = new Map(rows.map((row) => [toHex(row.subkey), row]));
    this.#sorted = rows;
    for (const { size } of rows) this.bytes += size;
  }

  /** How many there are. */
  get size(): number {
    return this.#rows.size;
  }

  /** The row of a subkey, which is given in hexadecimal. */
  get(subkey: string): HeldRecord | undefined {
    return this.#rows.get(subkey);
  }

  /** The rows after a subkey, ascending by subkey. */
  after(subkey?: Uint8Array): readonly HeldRecord[] {
    this.#sorted ??= [...this.#rows.values()]
      .sort((a, b) => compare(a.subkey, b.subkey));
    return subkey === undefined
      ? this.#sorted
      : this.#sorted.filter((row) => compare(row.subkey, subkey) > 0);
  }

  /** Puts a row in, or takes one out; gives how the bytes change. */
  set(subkey: string, row: HeldRecord | undefined): number {
    const change = (row?.size ?? 0) - (this.#rows.get(subkey)?.size ?? 0);
    if (row === undefined) this.#rows.delete(subkey);
    else this.#rows.set(subkey, row);
    this.#sorted = undefined;
    this.bytes += change;
    return change;
  }
}

/**
 * The rows of keys that were read lately, complete for each key, within a
 * bound of bytes. The key that was not used for longest goes first.
 */
export class RowCache {
  readonly #keys = new Map<string, CachedRows>();
  readonly #most: number;
  #bytes = 0;

  /** Keeps at most so many bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The most bytes that one key may take. */
  get mostOfKey(): number {
    return this.#most / 8;
  }

  /** What it keeps, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The rows of a key, if they are kept. */
  get(key: Uint8Array): CachedRows | undefined {
    const name = toHex(key);
    const rows = this.#keys.get(name);
    if (rows === undefined) return undefined;
    this.#keys.delete(name);
    this.#keys.set(name, rows);
    return rows;
  }

  /** Keeps all rows of a key. */
  keep(key: Uint8Array, rows: readonly HeldRecord[]): void {
    const name = toHex(key);
    this.#drop(name);
    const cached = new CachedRows(rows);
    this.#keys.set(name, cached);
    this.#bytes += cached.bytes;
    this.#shrink();
  }

  /** Follows a write. */
  put(row: HeldRecord): void {
    this.#change(row.key, row.subkey, row);
  }

  /** Follows a removal. */
  remove(key: Uint8Array, subkey: Uint8Array): void {
    this.#change(key, subkey, undefined);
  }

  /** Forgets everything. */
  clear(): void {
    this.#keys.clear();
    this.#bytes = 0;
  }

  #change(
    key: Uint8Array,
    subkey: Uint8Array,
    row: HeldRecord | undefined,
  ): void {
    const name = toHex(key);
    const rows = this.#keys.get(name);
    if (rows === undefined) return;
    this.#bytes += rows.set(toHex(subkey), row);
    if (rows.size === 0 || rows.bytes > this.mostOfKey) this.#drop(name);
    this.#shrink();
  }

  #shrink(): void {
    for (const name of this.#keys.keys()) {
      if (this.#bytes <= this.#most) return;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    this.#bytes -= this.#keys.get(name)?.bytes ?? 0;
    this.#keys.delete(name);
  }
}
