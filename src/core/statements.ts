import type { DatabaseSync, StatementSync } from "node:sqlite";

/** The statements of a database, each prepared once. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /** Prepares nothing yet. */
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The statement of a text; texts come from a closed set. */
  of(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  /** Lets go of all, before the database is closed. */
  clear(): void {
    this.#prepared.clear();
  }
}
