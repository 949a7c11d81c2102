import { setImmediate } from "node:timers";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Statements } from "../core/statements.ts";
import { StorageError } from "./errors.ts";
import { openRecordFile, type RecordFileOptions } from "./record_file.ts";
import { RowCache } from "./row_cache.ts";
import type {
  HeldFacts,
  HeldRecord,
  OwnerUsage,
  Place,
  RecordTable,
} from "./table.ts";

/** Options of {@linkcode SqliteTable.open}. */
export interface SqliteTableOptions extends RecordFileOptions {
  /** Most bytes of rows kept in memory for reads; 16 MiB by default. */
  readonly cacheBytes?: number;
}

/** Writes of one transaction that has not been committed. */
interface Batch {
  readonly done: PromiseWithResolvers<void>;
  writes: number;
}

type Row = Record<string, unknown>;

/** Writes after which a batch is committed at once. */
const BATCH_WRITES = 1_024;
const ROWS_AT_ONCE = 64;
/** What every subkey comes after. */
const BEFORE: Uint8Array = new Uint8Array();
const CACHE_BYTES = 16 * 1024 * 1024;
const FACTS = "key, subkey, expiration, deleted, owner, size";

/**
 * Records in a SQLite file, with a bounded table of rows in memory before it.
 *
 * What is put in one turn of the event loop is committed together at its end.
 * Committed rows outlive the process, however it ends: they are with the
 * operating system. (Only the machine's own failure may take the last moments.)
 */
export class SqliteTable implements RecordTable {
  readonly #db: DatabaseSync;
  readonly #metrics: Metrics;
  readonly #cache: RowCache;
  readonly #statements: Statements;
  readonly #log = loggerOf("records");
  #batch: Batch | undefined;
  #losses = 0;
  #failing = false;

  private constructor(db: DatabaseSync, options: SqliteTableOptions) {
    this.#db = db;
    this.#statements = new Statements(db);
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#cache = new RowCache(options.cacheBytes ?? CACHE_BYTES);
  }

  /**
   * Opens a file, or makes it. One that is damaged or not ours is set aside.
   *
   * @throws {StorageError} `RECORDS_IN_USE`, `RECORDS_UNUSABLE`.
   */
  static open(path: string, options: SqliteTableOptions = {}): SqliteTable {
    return new SqliteTable(openRecordFile(path, options), options);
  }

  /** Batches that were lost. */
  get losses(): number {
    return this.#losses;
  }

  /** What each owner's rows take. */
  usage(): OwnerUsage[] {
    return this.#all(
      "SELECT owner, count(*) AS records, sum(size) AS bytes FROM records GROUP BY owner",
    ) as unknown as OwnerUsage[];
  }

  /** One row. */
  get(key: Uint8Array, subkey: Uint8Array): HeldRecord | undefined {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached.get(subkey.toHex());
    const [row] = this.#all(
      `SELECT ${FACTS}, value FROM records WHERE key = ? AND subkey = ?`,
      key,
      subkey,
    );
    return row === undefined ? undefined : recordOf(row);
  }

  /** A key's rows, ascending by subkey. */
  *rows(key: Uint8Array, after?: Uint8Array): Generator<HeldRecord> {
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      for (const row of cached.after(after)) yield row;
      return;
    }
    const read: HeldRecord[] = [];
    let bytes = 0;
    for (const row of this.#inOrder(`${FACTS}, value`, key, after)) {
      const record = recordOf(row);
      bytes += record.size;
      if (bytes <= this.#cache.mostOfKey) read.push(record);
      yield record;
    }
    const whole = after === undefined && bytes <= this.#cache.mostOfKey;
    if (whole && read.length > 0) this.#cache.keep(key, read);
  }

  /** The same without values. */
  *facts(key: Uint8Array): Generator<HeldFacts> {
    const cached = this.#cache.get(key);
    if (cached !== undefined) yield* cached.after();
    else for (const row of this.#inOrder(FACTS, key)) yield factsOf(row);
  }

  /** How many rows a key has. */
  count(key: Uint8Array): number {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached.size;
    const [row] = this.#all(
      "SELECT count(*) AS count FROM records WHERE key = ?",
      key,
    );
    return Number(row?.count);
  }

  /** All rows, ascending by key and subkey. */
  *scan(after?: Place): Generator<HeldRecord> {
    let place = after ?? { key: BEFORE, subkey: BEFORE };
    for (;;) {
      const rows = this.#all(
        `SELECT ${FACTS}, value FROM records WHERE (key, subkey) > (?, ?)
         ORDER BY key, subkey LIMIT ${ROWS_AT_ONCE}`,
        place.key,
        place.subkey,
      ).map(recordOf);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      place = last;
    }
  }

  /** Rows of an owner, soonest expiration first. */
  soonestOf(owner: string, most: number): HeldFacts[] {
    return this.#all(
      `SELECT ${FACTS} FROM records WHERE owner = ? ORDER BY expiration LIMIT ?`,
      owner,
      most,
    ).map(factsOf);
  }

  /** Rows that expire before a time, soonest first. */
  soonest(before: number, most: number): HeldFacts[] {
    return this.#all(
      `SELECT ${FACTS} FROM records WHERE expiration < ? ORDER BY expiration LIMIT ?`,
      before,
      most,
    ).map(factsOf);
  }

  /** Writes a row, in the present batch. */
  put(row: HeldRecord): void {
    this.#write(
      `INSERT INTO records (${FACTS}, value) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, subkey) DO UPDATE SET expiration = excluded.expiration,
         deleted = excluded.deleted, owner = excluded.owner,
         size = excluded.size, value = excluded.value`,
      row.key,
      row.subkey,
      row.expiration,
      Number(row.deleted),
      row.owner,
      row.size,
      row.value,
    );
    this.#cache.put(row);
  }

  /** Removes a row, in the present batch. */
  remove({ key, subkey }: Place): void {
    this.#write(
      "DELETE FROM records WHERE key = ? AND subkey = ?",
      key,
      subkey,
    );
    this.#cache.remove(key, subkey);
  }

  /** Waits until the present batch is committed. @throws {StorageError} `STORAGE_FAILED` */
  committed(): Promise<void> {
    return this.#batch?.done.promise ?? Promise.resolve();
  }

  /** Commits, and closes the file. */
  close(): Promise<void> {
    this.#commit(this.#batch);
    this.#statements.clear();
    this.#cache.clear();
    try {
      this.#db.close();
    } catch {
      // It was closed before, or cannot be.
    }
    return Promise.resolve();
  }

  #write(sql: string, ...values: SQLInputValue[]): void {
    const batch = this.#begin();
    this.#guard(() => this.#statements.of(sql).run(...values));
    if (++batch.writes >= BATCH_WRITES) this.#commit(batch);
  }

  #begin(): Batch {
    if (this.#batch !== undefined) return this.#batch;
    this.#guard(() => this.#db.exec("BEGIN IMMEDIATE"));
    const batch = { done: Promise.withResolvers<void>(), writes: 0 };
    // A loss that nobody waits for is no unhandled error.
    batch.done.promise.catch(() => {});
    this.#batch = batch;
    setImmediate(() => this.#commit(batch));
    return batch;
  }

  #commit(batch: Batch | undefined): void {
    if (batch === undefined || batch !== this.#batch) return;
    try {
      this.#guard(() => this.#db.exec("COMMIT"));
    } catch {
      return;
    }
    this.#batch = undefined;
    this.#failing = false;
    batch.done.resolve();
  }

  /** Undoes the batch when the medium fails, and says so. */
  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      const failure = this.#failed(cause);
      const batch = this.#batch;
      this.#batch = undefined;
      try {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      } catch {
        // SQLite rolled it back by itself.
      }
      this.#cache.clear();
      if (batch !== undefined) this.#losses++;
      batch?.done.reject(failure);
      throw failure;
    }
  }

  #failed(cause: unknown): StorageError {
    this.#metrics.count("meshnode_records_storage_failures_total");
    const failure = new StorageError(
      "STORAGE_FAILED",
      `Records cannot be kept: ${
        cause instanceof Error ? cause.message : cause
      }.`,
      { cause, hint: "Look whether the disk is full or damaged." },
    );
    // Once, not for every record while the disk is full.
    if (!this.#failing) this.#log.error("{error}", { error: failure });
    this.#failing = true;
    return failure;
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    try {
      return this.#statements.of(sql).all(...values) as Row[];
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** A key's rows by subkey, a few at a time: nothing is kept open, and little is in memory. */
  *#inOrder(columns: string, key: Uint8Array, after = BEFORE): Generator<Row> {
    const sql = `SELECT ${columns} FROM records WHERE key = ? AND subkey > ?
      ORDER BY subkey LIMIT ${ROWS_AT_ONCE}`;
    for (let place = after;;) {
      const rows = this.#all(sql, key, place);
      yield* rows;
      if (rows.length < ROWS_AT_ONCE) return;
      place = rows.at(-1)?.subkey as Uint8Array;
    }
  }
}

function factsOf(row: Row): HeldFacts {
  return { ...row, deleted: row.deleted === 1 } as unknown as HeldFacts;
}

function recordOf(row: Row): HeldRecord {
  return factsOf(row) as HeldRecord;
}
