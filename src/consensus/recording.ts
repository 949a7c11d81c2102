import { MeshError } from "../core/errors.ts";
import { type Event, type State, step } from "./machine.ts";
import type { ConsensusReport } from "./report.ts";
import type { MachineRules } from "./rules.ts";

/** One event that changed something, and when it came. */
export interface RecordedEvent {
  /** Milliseconds of the Unix epoch. */
  readonly at: number;
  /** The event. */
  readonly event: Event;
}

/** All that decided an epoch: run through the machine again, it gives the same. */
export interface Recording {
  /** The subnet epoch. */
  readonly epoch: number;
  /** What the machine went by. */
  readonly rules: MachineRules;
  /** The state before the first event. */
  readonly initial: State;
  /** The events, in their order. */
  readonly events: readonly RecordedEvent[];
}

/** One step of a recording that was run again. */
export interface ReplayedStep extends RecordedEvent {
  /** Names of the states after it. */
  readonly vote: string;
  /** Likewise, of the work. */
  readonly work: string;
  /** What was to be done. */
  readonly actions: readonly string[];
  /** What was told. */
  readonly reports: readonly ConsensusReport[];
}

/** Most characters of a recording. */
const MAX_TEXT = 64 * 1024 * 1024;
const BIGINT = /^(0|[1-9]\d{0,38})n$/;

/** A value as JSON; integers beyond 2^53 as texts such as `1000n`. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, each) => typeof each === "bigint" ? `${each}n` : each,
  );
}

/** A value of {@linkcode toJson}. @throws {SyntaxError} */
export function fromJson(text: string): unknown {
  return JSON.parse(
    text,
    (_, each) =>
      typeof each === "string" && BIGINT.test(each)
        ? BigInt(each.slice(0, -1))
        : each,
  );
}

/**
 * A recording's text, as `consensus explain --json` prints it.
 *
 * @throws {MeshError} `RECORDING_INVALID`
 */
export function parseRecording(text: string): Recording {
  if (text.length > MAX_TEXT) throw invalid("it is too long");
  let value: unknown;
  try {
    value = fromJson(text);
  } catch {
    throw invalid("it is no JSON");
  }
  const { epoch, rules, initial, events } = fields(value);
  if (typeof epoch !== "number" || !Array.isArray(events)) {
    throw invalid("epoch or events are missing");
  }
  const { vote, work, life } = fields(initial);
  const { phases, attest } = fields(rules);
  for (const part of [fields(vote).name, fields(work).name]) {
    if (typeof part !== "string") throw invalid("its first state has no name");
  }
  for (const part of [life, phases, attest]) fields(part);
  for (const each of events) {
    const { at, event } = fields(each);
    if (typeof at !== "number" || typeof fields(event).type !== "string") {
      throw invalid("an event has no time or no type");
    }
  }
  return value as Recording;
}

/** Runs a recording through the machine. @throws {MeshError} `RECORDING_INVALID` */
export function replay(recording: Recording): ReplayedStep[] {
  let { initial: state } = recording;
  return recording.events.map(({ at, event }, i) => {
    let result;
    try {
      result = step(state, event, recording.rules);
    } catch {
      throw invalid(`event ${i + 1} is not whole`);
    }
    state = result.state;
    return {
      at,
      event,
      vote: state.vote.name,
      work: state.work.name,
      actions: result.actions.flatMap(({ type }) =>
        type === "report" ? [] : [type]
      ),
      reports: result.actions.flatMap((action) =>
        action.type === "report" ? [action.report] : []
      ),
    };
  });
}

function fields(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid("a part of it is missing");
}

function invalid(what: string): MeshError {
  return new MeshError(
    "RECORDING_INVALID",
    `This is no recording of an epoch: ${what}.`,
    { hint: "`meshnode consensus explain EPOCH --json` prints one." },
  );
}
