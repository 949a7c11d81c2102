import { closeSync, openSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { StorageError } from "./errors.ts";

/** Options of {@linkcode openRecordFile}. */
export interface RecordFileOptions {
  /** Most bytes of the file; unlimited by default. */
  readonly fileBytes?: number;
  /** The time, Unix seconds; the machine's by default. */
  readonly now?: () => number;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** Recognises our files; "recs" in ASCII. */
const APPLICATION_ID = 0x72656373;
const SCHEMA_VERSION = 1;
const PAGE_BYTES = 4_096;
/** How long the file of a process that is ending is waited for, ms. */
const BUSY_TIMEOUT = 2_000;

// The value is last, so that the rest is read without it.
const SCHEMA = `
CREATE TABLE records (
  key BLOB NOT NULL,
  subkey BLOB NOT NULL,
  expiration REAL NOT NULL,
  deleted INTEGER NOT NULL,
  owner TEXT NOT NULL,
  size INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_place ON records (key, subkey);
CREATE INDEX records_by_expiration ON records (expiration);
CREATE INDEX records_by_owner ON records (owner, expiration, size);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Reads each index once: the quick check looks at their pages, and not at what is in them. */
const PROBES = [
  "SELECT count(subkey) FROM records INDEXED BY records_by_place",
  "SELECT total(expiration) FROM records INDEXED BY records_by_expiration",
  "SELECT total(size) FROM records INDEXED BY records_by_owner",
] as const;

/** What SQLite says of a file that is none of ours any more. */
const DAMAGES =
  /not a database|malformed|unsupported file format|no such|already exists/;

/** Why a file cannot be used though it can be read. */
type Unfit = "damaged" | "foreign" | "other-version";

/**
 * Opens a file of records, or makes it. A file that is damaged, another
 * program's or another version's is renamed, and a new one made in its place.
 *
 * @throws {StorageError} `RECORDS_IN_USE`, `RECORDS_UNUSABLE`.
 */
export function openRecordFile(
  path: string,
  options: RecordFileOptions,
): DatabaseSync {
  const opened = tryOpen(path);
  const db = typeof opened === "string"
    ? setAside(path, opened, options)
    : opened;
  const { fileBytes } = options;
  if (fileBytes !== undefined) {
    db.exec(`PRAGMA max_page_count = ${Math.ceil(fileBytes / PAGE_BYTES)}`);
  }
  return db;
}

function setAside(
  path: string,
  unfit: Unfit,
  { now = () => Date.now() / 1_000, metrics = new MetricsRegistry() }:
    RecordFileOptions,
): DatabaseSync {
  const time = new Date(1_000 * now()).toISOString().replaceAll(/[-:]/g, "");
  const aside = `${path}.${unfit}-${time}`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    throw unusable(path, cause);
  }
  for (const suffix of ["-wal", "-shm"]) {
    try {
      renameSync(path + suffix, aside + suffix);
    } catch {
      // There is none.
    }
  }
  metrics.count("meshnode_records_set_aside_total", { reason: unfit });
  loggerOf("records").warn(
    "The file of records {path} is {reason}. It was renamed to {aside}, and " +
      "the node begins with an empty one: replicas bring back what they hold.",
    {
      path,
      reason: {
        damaged: "damaged",
        foreign: "not a file of records",
        "other-version": "of another version of this program",
      }[unfit],
      aside,
    },
  );
  const opened = tryOpen(path);
  if (typeof opened === "string") throw unusable(path, opened);
  return opened;
}

function tryOpen(path: string): DatabaseSync | Unfit {
  let db: DatabaseSync | undefined;
  const end = (unfit: Unfit) => {
    db?.close();
    return unfit;
  };
  try {
    db = new DatabaseSync(path);
    const pragma = (name: string) =>
      Object.values(db?.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    // Nobody else's business: a second process is refused, not mixed in.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const empty = pragma("schema_version") === 0;
    if (!empty) {
      if (pragma("application_id") !== APPLICATION_ID) return end("foreign");
      if (pragma("user_version") !== SCHEMA_VERSION) {
        return end("other-version");
      }
    }
    db.exec(`
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA journal_mode = WAL;
      PRAGMA journal_size_limit = 16777216;
      PRAGMA synchronous = NORMAL;
    `);
    db.exec("BEGIN IMMEDIATE");
    if (empty) db.exec(SCHEMA);
    // Some damages show only when something is written.
    else db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    db.exec("COMMIT");
    if (pragma("quick_check(1)") !== "ok") return end("damaged");
    for (const query of PROBES) db.prepare(query).get();
    return db;
  } catch (cause) {
    try {
      db?.close();
    } catch {
      // It was never open.
    }
    const message = cause instanceof Error ? cause.message : String(cause);
    if (DAMAGES.test(message)) return "damaged";
    if (/readonly database/.test(message) && isWritable(path)) return "damaged";
    if (/locked|busy/.test(message)) {
      throw new StorageError(
        "RECORDS_IN_USE",
        `The records in ${path} are used by another process.`,
        { cause, hint: "End it, or give this node another folder." },
      );
    }
    throw unusable(path, cause);
  }
}

/** Whether the system lets us write: who may not is told, and what cannot be written is damaged. */
function isWritable(path: string): boolean {
  try {
    closeSync(openSync(path, "r+"));
    return true;
  } catch {
    return false;
  }
}

function unusable(path: string, cause: unknown): StorageError {
  return new StorageError(
    "RECORDS_UNUSABLE",
    `The records in ${path} cannot be used: ${
      cause instanceof Error ? cause.message : cause
    }.`,
    { cause, hint: "Look whether the folder exists and can be written to." },
  );
}
