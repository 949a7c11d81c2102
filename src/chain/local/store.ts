import { existsSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Statements } from "../../core/statements.ts";
import { LocalChainError } from "./errors.ts";

/** Recognises our files; "mesh" in ASCII. */
const APPLICATION_ID = 0x6d657368;
const SCHEMA_VERSION = 2;
/** How long one process waits for another one's transaction, ms. */
const BUSY_TIMEOUT = 2_000;

const SCHEMA = `
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE nodes (
  id INTEGER PRIMARY KEY,
  hotkey TEXT NOT NULL UNIQUE,
  coldkey TEXT NOT NULL,
  class INTEGER NOT NULL,
  start_epoch INTEGER NOT NULL,
  stake TEXT NOT NULL,
  idle_epochs INTEGER NOT NULL DEFAULT 0,
  included_epochs INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE peers (
  peer_id TEXT PRIMARY KEY,
  node_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  multiaddr TEXT,
  UNIQUE (node_id, kind)
) STRICT;
CREATE TABLE bootnodes (peer_id TEXT PRIMARY KEY, multiaddr TEXT NOT NULL) STRICT;
CREATE TABLE overwatch (peer_id TEXT PRIMARY KEY) STRICT;
CREATE TABLE balances (account TEXT PRIMARY KEY, amount TEXT NOT NULL) STRICT;
CREATE TABLE elections (
  epoch INTEGER PRIMARY KEY,
  node_id INTEGER NOT NULL
) STRICT;
CREATE TABLE submissions (
  epoch INTEGER PRIMARY KEY,
  validator_id INTEGER NOT NULL,
  block INTEGER NOT NULL,
  scores TEXT NOT NULL,
  electorate TEXT NOT NULL,
  prioritize INTEGER,
  remove INTEGER
) STRICT;
CREATE TABLE attestations (
  epoch INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (epoch, node_id)
) STRICT;
CREATE TABLE past (until INTEGER PRIMARY KEY, kept TEXT NOT NULL) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** A row of an answer. */
export type Row = Record<string, string | number | bigint | null>;

/** The file of a local chain: one SQLite database, shared by processes. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = new Statements(db);
  }

  /**
   * Opens a file, making it when `create` is set.
   *
   * @throws {LocalChainError} `LOCAL_CHAIN_MISSING`, `LOCAL_CHAIN_VERSION`,
   * `LOCAL_CHAIN_DAMAGED`.
   */
  static open(path: string, create: boolean): Store {
    let db: DatabaseSync | undefined;
    try {
      if (!holdsChain(path) && !create) {
        throw new LocalChainError(
          "LOCAL_CHAIN_MISSING",
          `There is no local chain in ${path}.`,
          { hint: "`meshnode dev` makes one." },
        );
      }
      db = new DatabaseSync(path);
      db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      if (isEmpty(db)) {
        db.exec("PRAGMA journal_mode = WAL");
        db.exec("BEGIN IMMEDIATE");
        // Another process may have been faster.
        if (isEmpty(db)) db.exec(SCHEMA);
        db.exec("COMMIT");
      }
      checkFormat(path, db);
      db.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
      return new Store(db);
    } catch (error) {
      db?.close();
      if (error instanceof LocalChainError) throw error;
      throw new LocalChainError(
        "LOCAL_CHAIN_DAMAGED",
        `${path} cannot be used as a local chain: ${
          error instanceof Error ? error.message : error
        }.`,
        {
          cause: error,
          hint: "Move it away, and `meshnode dev` makes a new chain.",
        },
      );
    }
  }

  /** All rows of an answer. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statements.of(sql).all(...values) as Row[];
  }

  /** The first row of an answer. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statements.of(sql).get(...values) as Row | undefined;
  }

  /** Changes something. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statements.of(sql).run(...values);
  }

  /** Reads or changes everything in one step, alone. */
  transaction<T>(
    act: () => T,
    kind: "IMMEDIATE" | "DEFERRED" = "IMMEDIATE",
  ): T {
    this.#db.exec(`BEGIN ${kind}`);
    try {
      const result = act();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Lets go of the file. */
  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

/** Whether there is a chain in a file, which is only looked at: it may be somebody else's. */
function holdsChain(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    if (isEmpty(db)) return false;
    checkFormat(path, db);
    return true;
  } finally {
    db.close();
  }
}

function checkFormat(path: string, db: DatabaseSync): void {
  if (numberOf(db, "PRAGMA application_id") !== APPLICATION_ID) {
    throw new Error("it belongs to another program");
  }
  const version = numberOf(db, "PRAGMA user_version");
  if (version === SCHEMA_VERSION) return;
  throw new LocalChainError(
    "LOCAL_CHAIN_VERSION",
    `The local chain in ${path} has format ${version}, this program reads ` +
      `format ${SCHEMA_VERSION} only: ${
        version > SCHEMA_VERSION ? "a later" : "an earlier"
      } version made it.`,
    {
      hint: "Use the version that made it, move it away, or begin anew with " +
        "`meshnode dev --fresh`. Nothing was changed in it.",
    },
  );
}

function isEmpty(db: DatabaseSync): boolean {
  return numberOf(db, "SELECT count(*) FROM sqlite_schema") === 0;
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}
