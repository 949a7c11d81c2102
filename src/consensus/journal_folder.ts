import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../core/clock.ts";
import { MeshError } from "../core/errors.ts";
import { loggerOf } from "../core/log.ts";
import type { Journal } from "./journal.ts";
import { SqliteJournal } from "./sqlite_journal.ts";

/** The journal's file in a node's data folder. */
export const JOURNAL_FILE = "consensus.db";
const LOCK_FILE = "consensus.lock";
/** Pause between attempts to get the lock, ms. */
const LOCK_PAUSE = 500;

/** A journal that nobody else has open. */
export interface OpenJournal extends Disposable {
  /** The journal. */
  readonly journal: Journal;
  /** Whether the one before was damaged and set aside. */
  readonly isReplacement: boolean;
}

/**
 * Opens the journal in a folder as soon as no other process has it. A damaged
 * one is set aside, and the node goes on with what the chain knows.
 *
 * @throws the signal's reason, or {MeshError} `JOURNAL_UNUSABLE`.
 */
export async function openJournal(
  folder: string,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<OpenJournal> {
  let lock: Deno.FsFile;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    lock = await Deno.open(join(folder, LOCK_FILE), {
      create: true,
      write: true,
      read: true,
      mode: 0o600,
    });
  } catch (cause) {
    throw unusable(folder, cause);
  }
  try {
    await take(lock, folder, signal, clock);
    const { journal, isReplacement } = await openOrReplace(folder, clock);
    return {
      journal,
      isReplacement,
      [Symbol.dispose]() {
        journal.close();
        // The kernel releases it with the process, too, however that ends.
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

async function take(
  lock: Deno.FsFile,
  folder: string,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  for (let told = false; !await lock.tryLock(true); told = true) {
    if (!told) {
      loggerOf("consensus").warn(
        "Another process takes part in consensus from {folder}. This one " +
          "stands by until that one ends.",
        { folder },
      );
    }
    await clock.sleep(LOCK_PAUSE, signal);
  }
}

async function openOrReplace(
  folder: string,
  clock: Clock,
): Promise<
  { readonly journal: SqliteJournal; readonly isReplacement: boolean }
> {
  const path = join(folder, JOURNAL_FILE);
  try {
    const journal = SqliteJournal.open(path);
    // Salts are secrets until they are revealed.
    await chmod(path, 0o600);
    return { journal, isReplacement: false };
  } catch (error) {
    const damaged = error instanceof MeshError &&
      error.code === "JOURNAL_DAMAGED";
    if (!damaged) throw error;
    const aside = `${path}.damaged-${Math.floor(clock.now())}`;
    try {
      for (const part of ["", "-wal", "-shm"]) {
        await Deno.rename(path + part, aside + part).catch((cause) => {
          if (!(cause instanceof Deno.errors.NotFound)) throw cause;
        });
      }
      const journal = SqliteJournal.open(path);
      await chmod(path, 0o600);
      loggerOf("consensus").error(
        "{error} It was set aside as {aside}. A new one is used: the chain " +
          "decides what was sent already, and work committed to before is lost.",
        { error, aside },
      );
      return { journal, isReplacement: true };
    } catch (cause) {
      throw unusable(folder, cause);
    }
  }
}

function unusable(folder: string, cause: unknown): MeshError {
  return new MeshError(
    "JOURNAL_UNUSABLE",
    `No journal can be kept in ${folder}: ${
      cause instanceof Error ? cause.message : cause
    }.`,
    { cause, hint: "Check the folder's owner, its mode and the free space." },
  );
}
