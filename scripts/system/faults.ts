import { SeededRandom } from "../fuzz/random.ts";

/** What is done to a process. */
export const FAULT_KINDS = ["kill", "terminate", "freeze"] as const;

/** `kill` and `terminate` end it (SIGKILL, SIGTERM) until it is started again; `freeze` stops it (SIGSTOP) until it goes on. */
export type FaultKind = typeof FAULT_KINDS[number];

/** One fault. */
export interface Fault {
  /** Which validator, from 0. */
  readonly validator: number;
  /** What is done to it. */
  readonly kind: FaultKind;
  /** When, in blocks since the run's first one. */
  readonly from: number;
  /** When it is mended. */
  readonly until: number;
}

/** Epochs in which a validator that came back is left alone. */
const REST = 2;
/** Epochs at the end in which all may vote. */
const QUIET = 2;
/** Of so many epochs, this many have a fault, and a second one. */
const ODDS = { first: 4, second: 1, of: 6 };
const SHORTEST = 3;
const LONGEST = 30;

/** The faults of a run, the same for the same seed, by their beginnings. */
export function faultPlan(
  seed: number,
  epochs: number,
  epochLength: number,
  validators: number,
): Fault[] {
  const random = new SeededRandom(seed);
  const free = Array.from({ length: validators }, () => 0);
  const faults: Fault[] = [];
  const add = (epoch: number) => {
    const from = epoch * epochLength + random.below(epochLength);
    const until = from + SHORTEST + random.below(LONGEST - SHORTEST + 1);
    const kind = random.pick(FAULT_KINDS);
    const validator = random.below(validators);
    const late = until > (epochs - QUIET) * epochLength;
    if (late || from < (free[validator] as number)) return;
    free[validator] = until + REST * epochLength;
    faults.push({ validator, kind, from, until });
  };
  for (let epoch = 0; epoch < epochs - QUIET; epoch++) {
    if (random.below(ODDS.of) < ODDS.first) add(epoch);
    if (random.below(ODDS.of) < ODDS.second) add(epoch);
  }
  return faults.sort((a, b) => a.from - b.from);
}
