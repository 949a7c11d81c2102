import { type AttestPolicy, EXACT } from "./attest_policy.ts";
import { PHASES, type Phases } from "./phases.ts";

/** What the machine goes by. */
export interface MachineRules {
  /** Boundaries of the epoch. */
  readonly phases: Phases;
  /** Which proposals are attested. */
  readonly attest: AttestPolicy;
  /** Whether there is work to commit to. */
  readonly work: boolean;
  /** Failed attempts after which an epoch is given up. */
  readonly maxFailures: number;
  /** Decide everything, but propose, attest and publish nothing. */
  readonly dryRun: boolean;
}

/** The usual {@linkcode MachineRules}. */
export const MACHINE_RULES: MachineRules = {
  phases: PHASES,
  attest: EXACT,
  work: false,
  maxFailures: 5,
  dryRun: false,
};
