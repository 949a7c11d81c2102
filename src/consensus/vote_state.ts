import type { NodeScore } from "../chain/types.ts";
import type { Observation, QueueChange } from "./observation.ts";
import type { ConsensusReport, Outcome } from "./report.ts";

/** What our scores are, and how often what failed. */
export interface VoteScores {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Canonical. */
  readonly scores: readonly NodeScore[];
  /** What our proposal would do to the queue. */
  readonly queue: QueueChange;
  /** How often scoring or sending failed. */
  readonly failures: number;
  /** How often records were read anew because a proposal differs. */
  readonly rereads: number;
}

/** States of voting, each with what is needed to go on. */
export type VoteState =
  | {
    readonly name: "awaiting-activation" | "awaiting-node";
    /** The last epoch that is over for us, if one was. */
    readonly after?: number;
    /** Block before which nothing is sent: what was sent may still appear. */
    readonly quietUntil?: number;
  }
  | {
    readonly name: "awaiting-epoch";
    readonly after: number;
    readonly quietUntil?: number;
  }
  | {
    readonly name: "preparing";
    /** The epoch that is prepared for: the next one. */
    readonly epoch: number;
    /** Whether it is under way or done. */
    readonly asked: boolean;
    readonly failures: number;
  }
  | {
    readonly name: "scoring";
    readonly epoch: number;
    /** Whether it is under way. */
    readonly asked: boolean;
    /** Nodes whose records are read anew; all when absent. */
    readonly only?: readonly number[];
    readonly failures: number;
    readonly rereads: number;
    /** Block before which nothing is sent. */
    readonly quietUntil: number;
  }
  | VoteScores & {
    readonly name: "comparing";
    /** Block before which nothing is sent again. */
    readonly quietUntil: number;
    /** Block from which a differing proposal leads to another look. */
    readonly rereadAt: number;
  }
  | VoteScores & {
    readonly name: "proposing" | "attesting";
    /** Block before which nothing was to be sent. */
    readonly quietUntil?: number;
  }
  | {
    readonly name: "done";
    readonly epoch: number;
    readonly outcome: Outcome;
  };

/** A voting state's name. */
export type VoteStateName = VoteState["name"];

/** What can happen to voting. */
export type VoteEvent =
  | { readonly type: "preparing-failed"; readonly epoch: number }
  | {
    readonly type: "scored";
    readonly epoch: number;
    readonly scores: readonly NodeScore[];
    readonly queue: QueueChange;
    readonly observation: Observation;
  }
  | {
    readonly type: "scoring-failed";
    readonly epoch: number;
    readonly reason: string;
  }
  | { readonly type: "sent"; readonly epoch: number; readonly block: number }
  | {
    readonly type: "sending-failed";
    readonly epoch: number;
    readonly block: number;
    /** Whether another attempt would only repeat it. */
    readonly final: boolean;
    readonly reason: string;
  };

/** What voting wants done. */
export type VoteAction =
  /** Gathers the records that the next epoch is scored by. */
  | { readonly type: "prepare"; readonly epoch: number }
  /** Scores; `only` names the nodes whose records are read anew. */
  | {
    readonly type: "score";
    readonly epoch: number;
    readonly only?: readonly number[];
  }
  | {
    readonly type: "propose";
    readonly epoch: number;
    readonly scores: readonly NodeScore[];
    readonly queue: QueueChange;
  }
  | { readonly type: "attest"; readonly epoch: number }
  | { readonly type: "report"; readonly report: ConsensusReport };

/** A voting state and what is to be done on the way to it. */
export interface VoteStep {
  /** The new state. */
  readonly state: VoteState;
  /** In this order. */
  readonly actions: readonly VoteAction[];
}

/** The states that can follow each state; README.md shows this table. */
export const VOTE_TRANSITIONS: Readonly<
  Record<VoteStateName, readonly VoteStateName[]>
> = {
  "awaiting-activation": ["awaiting-node", "awaiting-epoch", "scoring"],
  "awaiting-node": ["awaiting-activation", "awaiting-epoch", "scoring"],
  "awaiting-epoch": [
    "awaiting-activation",
    "awaiting-node",
    "preparing",
    "scoring",
    "done",
  ],
  "preparing": ["awaiting-activation", "awaiting-node", "scoring", "done"],
  "scoring": [
    "awaiting-activation",
    "awaiting-node",
    "comparing",
    "proposing",
    "attesting",
    "done",
  ],
  "comparing": [
    "awaiting-activation",
    "awaiting-node",
    "scoring",
    "proposing",
    "attesting",
    "done",
  ],
  "proposing": [
    "awaiting-activation",
    "awaiting-node",
    "scoring",
    "comparing",
    "done",
  ],
  "attesting": [
    "awaiting-activation",
    "awaiting-node",
    "scoring",
    "comparing",
    "done",
  ],
  "done": ["awaiting-activation", "awaiting-node", "preparing", "scoring"],
};
