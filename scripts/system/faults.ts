import { SeededRandom } from "../fuzz/random.ts";

/** What is done to a process. */
export const PROCESS_FAULTS = ["kill", "terminate", "freeze"] as const;
/** What is done to the bootnode. */
export const BOOTNODE_FAULTS = ["headless"] as const;
/** What is done to the network. */
export const NETWORK_FAULTS = ["cut", "split"] as const;

/**
 * `kill` and `terminate` end a process (SIGKILL, SIGTERM) until it is started
 * again; `freeze` stops it (SIGSTOP) until it goes on, and `headless` so stops
 * the bootnode, through which whoever starts would enter. `cut` drops every packet
 * between one node and all others, `split` between two nodes and the others;
 * nobody is told, and the chain stays in reach.
 */
export type FaultKind =
  | typeof PROCESS_FAULTS[number]
  | typeof BOOTNODE_FAULTS[number]
  | typeof NETWORK_FAULTS[number];

/** One fault. */
export interface Fault {
  /** Which validators, from 0; none when it is the bootnode. */
  readonly validators: readonly number[];
  /** What is done to them. */
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

/** All that can be done. */
export const FAULT_KINDS: readonly FaultKind[] = [
  ...PROCESS_FAULTS,
  ...BOOTNODE_FAULTS,
  ...NETWORK_FAULTS,
];

/** Whether a fault is one of the network. */
export function isNetworkFault(kind: FaultKind): boolean {
  return NETWORK_FAULTS.some((each) => each === kind);
}

/** The faults of a run, the same for the same seed and kinds, by their beginnings. */
export function faultPlan(
  seed: number,
  epochs: number,
  epochLength: number,
  validators: number,
  kinds: readonly FaultKind[],
): Fault[] {
  const random = new SeededRandom(seed);
  const bootnode = validators;
  const free = Array.from({ length: validators + 1 }, () => 0);
  const faults: Fault[] = [];
  const add = (epoch: number) => {
    const from = epoch * epochLength + random.below(epochLength);
    const until = from + SHORTEST + random.below(LONGEST - SHORTEST + 1);
    const kind = random.pick(kinds);
    const hurt = [kind === "headless" ? bootnode : random.below(validators)];
    if (kind === "split") {
      const [first = 0] = hurt;
      hurt.push((first + 1 + random.below(validators - 1)) % validators);
    }
    const late = until > (epochs - QUIET) * epochLength;
    if (late || hurt.some((each) => from < (free[each] as number))) return;
    for (const each of hurt) free[each] = until + REST * epochLength;
    const named = hurt.filter((each) => each !== bootnode);
    faults.push({ validators: named, kind, from, until });
  };
  for (let epoch = 0; epoch < epochs - QUIET; epoch++) {
    if (random.below(ODDS.of) < ODDS.first) add(epoch);
    if (random.below(ODDS.of) < ODDS.second) add(epoch);
  }
  return faults.sort((a, b) => a.from - b.from);
}
