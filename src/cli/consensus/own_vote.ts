import type { EpochSummary } from "../../consensus/journal.ts";
import { PHASES, type Phases } from "../../consensus/phases.ts";
import type { SqliteJournal } from "../../consensus/sqlite_journal.ts";

/** How a node that runs on this machine votes, by its journal. */
export interface OwnVote {
  /** Its id on the chain; absent while it has none. */
  readonly nodeId: number | undefined;
  /** The state of its vote. */
  readonly vote: string;
  /** The state of its work. */
  readonly work: string;
  /** The last epochs, newest first. */
  readonly epochs: readonly EpochSummary[];
}

/** Epochs of which the outcome is read. */
const LOOKED_BACK = 3;

/** Reads a node's journal while the node writes it. */
export class OwnVoteReader implements Disposable {
  readonly #journal: SqliteJournal;

  /** Reads a journal, and closes it. */
  constructor(journal: SqliteJournal) {
    this.#journal = journal;
  }

  /** The boundaries that the node goes by; the documentation's before it voted. */
  get phases(): Phases {
    const [last] = this.#journal.summaries(1);
    const recording = last && this.#journal.recording(last.epoch);
    return recording?.rules.phases ?? PHASES;
  }

  /** How it votes now; nothing before it began. */
  read(): OwnVote | undefined {
    const { state } = this.#journal;
    return state && {
      nodeId: state.life.node?.id,
      vote: state.vote.name,
      work: state.work.name,
      epochs: this.#journal.summaries(LOOKED_BACK),
    };
  }

  /** Lets go of the file. */
  [Symbol.dispose](): void {
    this.#journal.close();
  }
}
