import type {
  EpochSummary,
  Journal,
  JournaledWork,
  JournalEntry,
} from "./journal.ts";
import { KEPT_WORK, summariesOf } from "./journal.ts";
import type { State } from "./machine.ts";
import type { RecordedEvent, Recording } from "./recording.ts";

interface KeptEpoch {
  readonly first: JournalEntry;
  readonly events: RecordedEvent[];
  summary: EpochSummary;
}

/** Epochs that are kept by default. */
const KEPT_EPOCHS = 8;

/** A journal that lasts as long as the process, for nodes without a data folder. */
export class MemoryJournal implements Journal {
  readonly #epochs = new Map<number, KeptEpoch>();
  readonly #work = new Map<number, JournaledWork>();
  readonly #texts = new Map<string, string>();
  readonly #keptEpochs: number;
  #state: State | undefined;

  /** Keeps the last epochs. */
  constructor(keptEpochs: number = KEPT_EPOCHS) {
    this.#keptEpochs = keptEpochs;
  }

  /** The state recorded last. */
  get state(): State | undefined {
    return this.#state;
  }

  /** Records a change of the state. */
  record(entry: JournalEntry): void {
    this.#state = entry.after;
    const { epoch, at, event, reports } = entry;
    const kept = this.#epochs.get(epoch) ??
      { first: entry, events: [], summary: { epoch } };
    kept.events.push({ at, event });
    this.#epochs.set(epoch, kept);
    for (const summary of summariesOf(reports)) this.#sum(summary);
    drop(this.#epochs, this.#keptEpochs);
  }

  /** Keeps an epoch's work. */
  keepWork(work: JournaledWork): void {
    this.#work.set(work.epoch, work);
    drop(this.#work, KEPT_WORK);
  }

  /** The work of an epoch. */
  work(epoch: number): JournaledWork | undefined {
    return this.#work.get(epoch);
  }

  /** Keeps a text under a name. */
  keep(name: string, text: string): void {
    this.#texts.set(name, text);
  }

  /** The text under a name. */
  kept(name: string): string | undefined {
    return this.#texts.get(name);
  }

  /** The last epochs, newest first. */
  summaries(most: number): EpochSummary[] {
    return [...this.#epochs.values()].map(({ summary }) => summary)
      .sort((a, b) => b.epoch - a.epoch).slice(0, most);
  }

  /** What decided an epoch. */
  recording(epoch: number): Recording | undefined {
    const kept = this.#epochs.get(epoch);
    if (kept === undefined) return undefined;
    const { rules, before } = kept.first;
    return { epoch, rules, initial: before, events: [...kept.events] };
  }

  /** There is nothing to let go of. */
  close(): void {}

  #sum(more: EpochSummary): void {
    const kept = this.#epochs.get(more.epoch);
    if (kept !== undefined) kept.summary = { ...kept.summary, ...more };
  }
}

function drop(map: Map<number, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
