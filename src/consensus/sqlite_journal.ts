import { deflateRawSync, inflateRawSync } from "node:zlib";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { concat } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";
import { Statements } from "../core/statements.ts";
import {
  type EpochSummary,
  type Journal,
  type JournaledWork,
  type JournalEntry,
  KEPT_WORK,
  summariesOf,
} from "./journal.ts";
import { isState, type State } from "./machine.ts";
import { fromJson, parseRecording, type Recording } from "./recording.ts";
import { LIST_PREFIX, ScoreLists } from "./score_lists.ts";

/** Recognises our files; "cons" in ASCII. */
const APPLICATION_ID = 0x636f6e73;
const SCHEMA_VERSION = 1;
/** Epochs of which at least the outcome is kept. */
const KEPT_EPOCHS = 1_000;
/** Bytes that the recordings of all epochs may take together. */
const RECORDINGS = 400 * 1024;
/** Pages after which the log is written back, and bytes that it keeps then. */
const LOG = { pages: 64, bytes: 128 * 1024 };
/** Most characters of a summary's reason. */
const MAX_REASON = 200;
/** Most bytes of one unpacked recording. */
const MAX_RECORDING = 64 * 1024 * 1024;

const SCHEMA = `
PRAGMA page_size = 1024;
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE texts (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY,
  outcome TEXT,
  reason TEXT,
  work TEXT
) STRICT;
CREATE TABLE recordings (epoch INTEGER PRIMARY KEY, packed BLOB NOT NULL) STRICT;
CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  first TEXT
) STRICT;
CREATE TABLE work (
  epoch INTEGER PRIMARY KEY,
  salt BLOB NOT NULL,
  result BLOB NOT NULL,
  expiration REAL NOT NULL
) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;
const TABLES = SCHEMA.split("CREATE TABLE").length - 1;
const STATE = "state";

type Row = Record<string, string | number | bigint | null | Uint8Array>;

/** A journal in an SQLite file: written through to the disk with every change. */
export class SqliteJournal implements Journal {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #lists = new ScoreLists({
    keep: (name, text) => this.#keep(name, text),
    kept: (name) => this.kept(name),
  });
  #epoch = -1;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = new Statements(db);
  }

  /**
   * Opens a journal, making it when there is none.
   *
   * @throws {MeshError} `JOURNAL_DAMAGED` when the file is no journal.
   */
  static open(path: string): SqliteJournal {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      const one = (sql: string) =>
        Object.values(db?.prepare(sql).get() ?? {})[0];
      if (one("SELECT count(*) FROM sqlite_schema") === 0) db.exec(SCHEMA);
      if (
        one("PRAGMA application_id") !== APPLICATION_ID ||
        one("PRAGMA user_version") !== SCHEMA_VERSION
      ) throw new Error("it belongs to another program or version");
      if (one("PRAGMA quick_check") !== "ok") throw new Error("it is damaged");
      // Names of tables and columns are text that no check of pages looks at.
      const tables = db.prepare(
        "SELECT sql FROM sqlite_schema WHERE sql NOT NULL",
      )
        .all();
      if (
        tables.length !== TABLES ||
        !tables.every(({ sql }) => SCHEMA.includes(`${sql};`))
      ) throw new Error("its tables are not a journal's");
      db.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; " +
          `PRAGMA wal_autocheckpoint = ${LOG.pages}; ` +
          `PRAGMA journal_size_limit = ${LOG.bytes}`,
      );
      const journal = new SqliteJournal(db);
      const { state } = journal;
      if (state !== undefined && !isState(state)) {
        throw new Error("its state is unknown");
      }
      return journal;
    } catch (cause) {
      db?.close();
      throw damaged(`${path} cannot be used as a journal`, cause);
    }
  }

  /** The state recorded last. */
  get state(): State | undefined {
    const text = this.kept(STATE);
    return text === undefined
      ? undefined
      : fromJson(this.#lists.expand(text)) as State;
  }

  /** Records a change of the state, in one step that is on the disk at its end. */
  record(entry: JournalEntry): void {
    const { epoch, at, event, before, after, rules, reports } = entry;
    this.#transaction(() => {
      if (epoch !== this.#epoch) this.#turn(epoch);
      const isFirst =
        this.#get("SELECT 1 FROM entries WHERE epoch = ?", epoch) === undefined;
      this.#run(
        "INSERT INTO entries (epoch, at, event, first) VALUES (?, ?, ?, ?)",
        epoch,
        Math.floor(at),
        this.#lists.pack(event, epoch),
        isFirst ? this.#lists.pack({ rules, initial: before }, epoch) : null,
      );
      for (const summary of summariesOf(reports)) this.#sum(summary);
      this.#keep(STATE, this.#lists.pack(after, epoch));
    });
    this.#epoch = epoch;
  }

  /** Keeps an epoch's work. */
  keepWork({ epoch, salt, result, expiration }: JournaledWork): void {
    this.#transaction(() => {
      this.#run(
        "INSERT INTO work VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET " +
          "salt = excluded.salt, result = excluded.result, " +
          "expiration = excluded.expiration",
        epoch,
        salt,
        result,
        expiration,
      );
      this.#run("DELETE FROM work WHERE epoch <= ?", epoch - KEPT_WORK);
    });
  }

  /** The work of an epoch. */
  work(epoch: number): JournaledWork | undefined {
    const row = this.#get("SELECT * FROM work WHERE epoch = ?", epoch);
    return row === undefined ? undefined : {
      epoch,
      salt: concat(row["salt"] as Uint8Array),
      result: concat(row["result"] as Uint8Array),
      expiration: Number(row["expiration"]),
    };
  }

  /** Keeps a text under a name. */
  keep(name: string, text: string): void {
    this.#transaction(() => this.#keep(name, text));
  }

  /** The text under a name. */
  kept(name: string): string | undefined {
    const row = this.#get("SELECT text FROM texts WHERE name = ?", name);
    return row === undefined ? undefined : String(row["text"]);
  }

  /** The last epochs, newest first. */
  summaries(most: number): EpochSummary[] {
    return this.#all(
      "SELECT epoch, outcome, reason, work FROM epochs ORDER BY epoch DESC LIMIT ?",
      most,
    ).map((row) => ({
      epoch: Number(row["epoch"]),
      ...texts(row, "outcome", "reason", "work"),
    } as EpochSummary));
  }

  /**
   * What decided an epoch; older epochs may have their outcome only.
   *
   * @throws {MeshError} `JOURNAL_DAMAGED` when what is kept of it is not whole.
   */
  recording(epoch: number): Recording | undefined {
    const row = this.#get(
      "SELECT packed FROM recordings WHERE epoch = ?",
      epoch,
    );
    const packed = row?.["packed"];
    try {
      if (!(packed instanceof Uint8Array)) {
        const text = this.#text(epoch);
        return text === undefined ? undefined : parseRecording(text);
      }
      const bytes = inflateRawSync(packed, { maxOutputLength: MAX_RECORDING });
      return parseRecording(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw damaged(`The recording of epoch ${epoch} cannot be read`, cause);
    }
  }

  /** Lets go of the file. */
  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** The text of a recording that is not packed yet. */
  #text(epoch: number): string | undefined {
    const rows = this.#all(
      "SELECT at, event, first FROM entries WHERE epoch = ? ORDER BY id",
      epoch,
    );
    const first = rows[0]?.["first"];
    if (typeof first !== "string") return undefined;
    const events = rows.map(({ at, event }) => `{"at":${at},"event":${event}}`);
    return this.#lists.expand(
      `{"epoch":${epoch},${first.slice(1, -1)},"events":[${events}]}`,
    );
  }

  /** Packs what is over, and drops what is old. */
  #turn(epoch: number): void {
    this.#run(
      "INSERT INTO epochs (epoch) VALUES (?) ON CONFLICT DO NOTHING",
      epoch,
    );
    // The epoch before may still be told how it ended.
    const over = this.#all(
      "SELECT DISTINCT epoch FROM entries WHERE epoch < ?",
      epoch - 1,
    );
    for (const row of over) {
      const old = Number(row["epoch"]);
      const text = this.#text(old);
      if (text !== undefined) {
        this.#run(
          "INSERT OR REPLACE INTO recordings VALUES (?, ?)",
          old,
          deflateRawSync(text),
        );
      }
      this.#run("DELETE FROM entries WHERE epoch = ?", old);
    }
    this.#run(
      "DELETE FROM texts WHERE name LIKE ? AND CAST(substr(name, ?) AS INTEGER) < ?",
      `${LIST_PREFIX}%`,
      LIST_PREFIX.length + 1,
      epoch - 1,
    );
    this.#run("DELETE FROM epochs WHERE epoch <= ?", epoch - KEPT_EPOCHS);
    let size = 0;
    for (
      const row of this.#all(
        "SELECT epoch, length(packed) AS size FROM recordings ORDER BY epoch DESC",
      )
    ) {
      size += Number(row["size"]);
      if (size <= RECORDINGS) continue;
      this.#run(
        "DELETE FROM recordings WHERE epoch <= ?",
        Number(row["epoch"]),
      );
      break;
    }
    this.#db.exec("PRAGMA incremental_vacuum");
  }

  #sum({ epoch, outcome, reason, work }: EpochSummary): void {
    this.#run(
      "UPDATE epochs SET outcome = coalesce(?, outcome), " +
        "reason = coalesce(?, reason), work = coalesce(?, work) WHERE epoch = ?",
      outcome ?? null,
      reason?.slice(0, MAX_REASON) ?? null,
      work ?? null,
      epoch,
    );
  }

  #keep(name: string, text: string): void {
    this.#run(
      "INSERT INTO texts VALUES (?, ?) ON CONFLICT DO UPDATE " +
        "SET text = excluded.text",
      name,
      text,
    );
  }

  #transaction(act: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      act();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      this.#lists.forget();
      throw error;
    }
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statements.of(sql).all(...values) as Row[];
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statements.of(sql).get(...values) as Row | undefined;
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statements.of(sql).run(...values);
  }
}

function damaged(what: string, cause: unknown): MeshError {
  return new MeshError(
    "JOURNAL_DAMAGED",
    `${what}: ${cause instanceof Error ? cause.message : cause}.`,
    { cause, hint: "Move the journal away, and a new one is made." },
  );
}

/** The named columns that are not null. */
function texts(row: Row, ...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) =>
      row[name] === null || row[name] === undefined
        ? []
        : [[name, String(row[name])]]
    ),
  );
}
