import type { Observation } from "./observation.ts";
import type { ConsensusReport } from "./report.ts";

/** States of an epoch's work. */
export type WorkState =
  /** There is nothing to do up to and including this epoch. */
  | { readonly name: "resting"; readonly after: number }
  | {
    readonly name: "performing";
    readonly epoch: number;
    readonly asked: boolean;
    readonly failures: number;
  }
  /** The result is in the journal, and its window has not opened. */
  | { readonly name: "performed"; readonly epoch: number }
  | {
    readonly name: "committing" | "revealing";
    readonly epoch: number;
    readonly asked: boolean;
    /** Whether another node holds it already. */
    readonly stored: boolean;
  }
  | { readonly name: "committed"; readonly epoch: number };

/** A work state's name. */
export type WorkStateName = WorkState["name"];

/** What can happen to work. */
export type WorkEvent =
  | {
    readonly type: "performed";
    readonly epoch: number;
    readonly observation: Observation;
  }
  | {
    readonly type: "performing-failed";
    readonly epoch: number;
    readonly reason: string;
  }
  | {
    readonly type: "published";
    readonly epoch: number;
    readonly what: "commit" | "reveal";
    /** Whether another node holds it, or there is none. */
    readonly stored: boolean;
    /** Whether most of its replicas hold it. */
    readonly complete: boolean;
  };

/** What work wants done. */
export type WorkAction =
  | { readonly type: "perform"; readonly epoch: number }
  | {
    readonly type: "publish";
    readonly epoch: number;
    readonly what: "commit" | "reveal";
  }
  | { readonly type: "report"; readonly report: ConsensusReport };

/** A work state and what is to be done on the way to it. */
export interface WorkStep {
  /** The new state. */
  readonly state: WorkState;
  /** In this order. */
  readonly actions: readonly WorkAction[];
}

/** The states that can follow each state; README.md shows this table. */
export const WORK_TRANSITIONS: Readonly<
  Record<WorkStateName, readonly WorkStateName[]>
> = {
  "resting": ["performing"],
  "performing": ["resting", "performed", "committing"],
  "performed": ["resting", "committing"],
  "committing": ["resting", "committed", "revealing"],
  "committed": ["resting", "revealing"],
  "revealing": ["resting"],
};
