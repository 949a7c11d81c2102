import type { Journal, JournalEntry } from "../../mod.ts";

/**
 * A journal that tells of each write right after it, by what was written, and
 * that a life which is over cannot write to.
 */
export function watched(
  journal: Journal,
  life: AbortSignal,
  written: (what: string) => void,
  recorded: (entry: JournalEntry) => void,
): Journal {
  const write = (what: string, act: () => void) => {
    if (life.aborted) throw new Error("It is dead.");
    act();
    written(what);
  };
  return {
    get state() {
      return journal.state;
    },
    record: (entry) =>
      write(
        entry.event.type === "block" ? entry.after.vote.name : entry.event.type,
        () => {
          journal.record(entry);
          recorded(entry);
        },
      ),
    keepWork: (work) => write("work", () => journal.keepWork(work)),
    keep: (name, text) => write(name, () => journal.keep(name, text)),
    work: (epoch) => journal.work(epoch),
    kept: (name) => journal.kept(name),
    summaries: (most) => journal.summaries(most),
    recording: (epoch) => journal.recording(epoch),
    close: () => journal.close(),
  };
}
