import type { Bytes } from "../core/bytes.ts";
import type { Event, State } from "./machine.ts";
import type { Recording } from "./recording.ts";
import {
  type ConsensusReport,
  type Outcome,
  reportReason,
  type WorkOutcome,
} from "./report.ts";
import type { MachineRules } from "./rules.ts";

/** An epoch's work: all that committing and revealing need. */
export interface JournaledWork {
  /** The subnet epoch. */
  readonly epoch: number;
  /** What makes the commitment say nothing about the result. */
  readonly salt: Bytes;
  /** The work's result. */
  readonly result: Bytes;
  /** DHT time (Unix seconds) until which commit and reveal live. */
  readonly expiration: number;
}

/** One change of the state, and what led to it. */
export interface JournalEntry {
  /** The subnet epoch that it belongs to. */
  readonly epoch: number;
  /** Milliseconds of the Unix epoch. */
  readonly at: number;
  /** What happened. */
  readonly event: Event;
  /** The state before. */
  readonly before: State;
  /** The state after. */
  readonly after: State;
  /** What the machine went by. */
  readonly rules: MachineRules;
  /** What was told. */
  readonly reports: readonly ConsensusReport[];
}

/** What an epoch came to. */
export interface EpochSummary {
  /** The subnet epoch. */
  readonly epoch: number;
  /** How it ended for us; absent while it goes on. */
  readonly outcome?: Outcome;
  /** Why, for people. */
  readonly reason?: string;
  /** What became of its work. */
  readonly work?: WorkOutcome;
}

/**
 * What a node must not forget: written before a call is sent or a record is
 * published, so that a node that is restarted at any moment goes on.
 */
export interface Journal {
  /** The state recorded last; absent in a new journal. */
  readonly state: State | undefined;
  /** Records a change of the state. Durable on return. */
  record(entry: JournalEntry): void;
  /** Keeps an epoch's work. Durable on return. */
  keepWork(work: JournaledWork): void;
  /** The work of an epoch. */
  work(epoch: number): JournaledWork | undefined;
  /** Keeps a text under a name, replacing the one before. Durable on return. */
  keep(name: string, text: string): void;
  /** The text under a name. */
  kept(name: string): string | undefined;
  /** The last epochs, newest first. */
  summaries(most: number): EpochSummary[];
  /** What decided an epoch, if it is still kept. */
  recording(epoch: number): Recording | undefined;
  /** Lets go of the file. */
  close(): void;
}

/** Epochs whose work is kept: the present one, and those its reveal may still concern. */
export const KEPT_WORK = 4;

/** What reports say about how epochs, or their work, ended. */
export function summariesOf(
  reports: readonly ConsensusReport[],
): EpochSummary[] {
  return reports.flatMap((report): EpochSummary[] => {
    const { kind } = report;
    if (kind === "work") return [{ epoch: report.epoch, work: report.outcome }];
    if (kind !== "outcome") return [];
    const { epoch, outcome } = report;
    const reason = reportReason(report);
    return [{ epoch, outcome, ...(reason === undefined ? {} : { reason }) }];
  });
}
