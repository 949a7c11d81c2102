import type { EpochPosition } from "../chain/epoch.ts";
import {
  atLeast,
  type ConsensusSubmission,
  type NodeScore,
  type SubnetNodeInfo,
} from "../chain/types.ts";
import { compareScores, type ScoreDifference } from "./scores.ts";

/** What the chain says at one block. */
export interface Observation {
  /** The block's number. */
  readonly block: number;
  /** Whether the subnet exists and is active by now. */
  readonly active: boolean;
  /** Where the block lies. */
  readonly position: EpochPosition;
  /** Our node. */
  readonly node: SubnetNodeInfo | undefined;
  /** The node elected for the epoch. */
  readonly elected: number | undefined;
  /** The epoch's proposal. */
  readonly submission: ConsensusSubmission | undefined;
  /** Who may attest. */
  readonly attestors: readonly number[];
}

/** How an epoch ended for us. */
export type Outcome =
  /** We proposed. */
  | "proposed"
  /** We attested. */
  | "attested"
  /** Our class signs nothing yet. */
  | "observed"
  /** The proposal differs from our scores. */
  | "disagreed"
  /** The proposal changes the queue, which we do not support. */
  | "queue-change"
  /** We are not among those who may attest. */
  | "not-an-attestor"
  /** Nobody proposed before the cut-off. */
  | "no-proposal"
  /** The chain did not take our call. */
  | "call-failed"
  /** The epoch ended while we were at work. */
  | "out-of-time";

/** States, each with what is needed to go on. */
export type State =
  | { readonly name: "awaiting-activation" }
  | { readonly name: "awaiting-node" }
  | { readonly name: "awaiting-epoch"; readonly after: number }
  | {
    readonly name: "scoring";
    readonly epoch: number;
    readonly failures: number;
  }
  | {
    readonly name: "comparing";
    readonly epoch: number;
    readonly scores: readonly NodeScore[];
    readonly failures: number;
    /** Block before which nothing is sent again. */
    readonly quietUntil: number;
  }
  | {
    readonly name: "proposing" | "attesting";
    readonly epoch: number;
    readonly scores: readonly NodeScore[];
    readonly failures: number;
  }
  | {
    readonly name: "done";
    readonly epoch: number;
    readonly outcome: Outcome;
  };

/** A state's name. */
export type StateName = State["name"];

/** What can happen. */
export type Event =
  | { readonly type: "block"; readonly observation: Observation }
  | {
    readonly type: "scored";
    readonly epoch: number;
    readonly scores: readonly NodeScore[];
    readonly observation: Observation;
  }
  | { readonly type: "scoring-failed"; readonly epoch: number }
  | { readonly type: "sent"; readonly epoch: number }
  | {
    readonly type: "sending-failed";
    readonly epoch: number;
    readonly block: number;
    /** Whether another attempt makes sense. */
    readonly final: boolean;
    readonly reason: string;
  };

/** What is told to people. */
export type ConsensusReport =
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "epoch"; readonly epoch: number }
  | {
    readonly kind: "outcome";
    readonly epoch: number;
    readonly outcome: Outcome;
    readonly reason?: string;
    readonly differences?: readonly ScoreDifference[];
  };

/** What is to be done. */
export type Action =
  /** Reads heartbeats anew and scores. */
  | { readonly type: "score"; readonly epoch: number }
  | {
    readonly type: "propose";
    readonly epoch: number;
    readonly scores: readonly NodeScore[];
  }
  | { readonly type: "attest"; readonly epoch: number }
  | { readonly type: "report"; readonly report: ConsensusReport };

/** A state and what is to be done on the way to it. */
export interface Step {
  /** The new state. */
  readonly state: State;
  /** In this order. */
  readonly actions: readonly Action[];
}

/** What the machine goes by. */
export interface MachineRules {
  /** Part of the epoch after which a missing or differing proposal is given up; 0.25 as in the reference. */
  readonly cutOff: number;
  /** Failed attempts after which an epoch is given up. */
  readonly maxFailures: number;
}

/** The usual {@linkcode MachineRules}. */
export const MACHINE_RULES: MachineRules = { cutOff: 0.25, maxFailures: 5 };

/** The states that can follow each state; the drawing in README.md is this table. */
export const TRANSITIONS: Readonly<Record<StateName, readonly StateName[]>> = {
  "awaiting-activation": ["awaiting-node", "awaiting-epoch"],
  "awaiting-node": ["awaiting-activation", "awaiting-epoch"],
  "awaiting-epoch": ["awaiting-activation", "awaiting-node", "scoring", "done"],
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
  "done": ["awaiting-activation", "awaiting-node", "scoring"],
};

/** Where every node begins. */
export const INITIAL_STATE: State = { name: "awaiting-activation" };

/** Blocks in which an unconfirmed call may still appear. */
const QUIET_BLOCKS = 2;

/** What follows from an event. Pure: the same arguments give the same step. */
export function step(
  state: State,
  event: Event,
  rules: MachineRules = MACHINE_RULES,
): Step {
  switch (event.type) {
    case "block":
      return onBlock(state, event.observation, rules);
    case "scored":
      if (state.name !== "scoring" || state.epoch !== event.epoch) break;
      return compare(
        {
          name: "comparing",
          epoch: state.epoch,
          scores: event.scores,
          failures: state.failures,
          quietUntil: 0,
        },
        event.observation,
        rules,
        false,
      );
    case "scoring-failed":
      if (state.name !== "scoring" || state.epoch !== event.epoch) break;
      // The next block asks again.
      return { state: { ...state, failures: state.failures + 1 }, actions: [] };
    case "sent":
      if (state.name === "proposing" && state.epoch === event.epoch) {
        return done(state.epoch, "proposed");
      }
      if (state.name === "attesting" && state.epoch === event.epoch) {
        return done(state.epoch, "attested");
      }
      break;
    case "sending-failed": {
      if (state.name !== "proposing" && state.name !== "attesting") break;
      if (state.epoch !== event.epoch) break;
      const failures = state.failures + 1;
      if (event.final || failures > rules.maxFailures) {
        return done(state.epoch, "call-failed", { reason: event.reason });
      }
      return {
        state: {
          name: "comparing",
          epoch: state.epoch,
          scores: state.scores,
          failures,
          quietUntil: event.block + QUIET_BLOCKS,
        },
        actions: [],
      };
    }
  }
  // Late results of what is over change nothing.
  return { state, actions: [] };
}

function onBlock(state: State, seen: Observation, rules: MachineRules): Step {
  const { position, node } = seen;
  if (!seen.active) {
    return wait(
      state,
      { name: "awaiting-activation" },
      "the subnet is not active",
    );
  }
  if (
    node === undefined || !atLeast(node.nodeClass, "idle") ||
    node.startEpoch > position.epoch
  ) {
    const reason = node === undefined
      ? "this node is not registered in the subnet"
      : `node ${node.id} is ${node.nodeClass}, from epoch ${node.startEpoch}`;
    return wait(state, { name: "awaiting-node" }, reason);
  }
  switch (state.name) {
    case "awaiting-activation":
    case "awaiting-node": {
      // Never begin in the middle of an epoch.
      const after = position.beforeSlot ? -1 : position.epoch;
      return wait(
        state,
        { name: "awaiting-epoch", after },
        `epoch ${after + 1} begins in ${position.remaining} blocks`,
      );
    }
    case "awaiting-epoch":
      if (position.beforeSlot || position.epoch <= state.after) {
        return { state, actions: [] };
      }
      return begin(seen, node);
  }
  if (position.epoch > state.epoch) {
    const late: Action[] = state.name === "done" ? [] : [
      outcome(state.epoch, "out-of-time"),
    ];
    const next = begin(seen, node);
    return { ...next, actions: [...late, ...next.actions] };
  }
  switch (state.name) {
    case "scoring":
      if (state.failures === 0) return { state, actions: [] };
      if (state.failures > rules.maxFailures) {
        return done(state.epoch, "call-failed", {
          reason: "the heartbeats could not be read",
        });
      }
      return {
        state: { ...state },
        actions: [{ type: "score", epoch: state.epoch }],
      };
    case "comparing":
      return compare(state, seen, rules, true);
  }
  return { state, actions: [] };
}

function begin(seen: Observation, node: SubnetNodeInfo): Step {
  const { epoch } = seen.position;
  const started: Action = {
    type: "report",
    report: { kind: "epoch", epoch },
  };
  if (node.nodeClass !== "validator") {
    const end = done(epoch, "observed", {
      reason: `node ${node.id} is ${node.nodeClass}, validators sign`,
    });
    return { ...end, actions: [started, ...end.actions] };
  }
  return {
    state: { name: "scoring", epoch, failures: 0 },
    actions: [started, { type: "score", epoch }],
  };
}

/** Decides with our scores and the chain's word; `mayReread` on later looks at a differing proposal. */
function compare(
  state: Extract<State, { name: "comparing" }>,
  seen: Observation,
  rules: MachineRules,
  mayReread: boolean,
): Step {
  const { epoch, scores, failures } = state;
  const stay: Step = { state, actions: [] };
  const { node, submission } = seen;
  if (node === undefined || seen.position.epoch !== epoch) return stay;
  const tooLate = seen.position.progress > rules.cutOff;
  if (submission === undefined) {
    if (seen.block < state.quietUntil) return stay;
    if (seen.elected === node.id) {
      return {
        state: { name: "proposing", epoch, scores, failures },
        actions: [{ type: "propose", epoch, scores }],
      };
    }
    return tooLate ? done(epoch, "no-proposal") : stay;
  }
  if (submission.attestations.has(node.id)) {
    const ours = submission.validatorId === node.id;
    return done(epoch, ours ? "proposed" : "attested");
  }
  if (
    submission.prioritizeQueueNodeId !== undefined ||
    submission.removeQueueNodeId !== undefined
  ) return done(epoch, "queue-change");
  if (!seen.attestors.includes(node.id)) return done(epoch, "not-an-attestor");
  const differences = compareScores(submission.scores, scores);
  if (differences.length === 0) {
    if (seen.block < state.quietUntil) return stay;
    return {
      state: { name: "attesting", epoch, scores, failures },
      actions: [{ type: "attest", epoch }],
    };
  }
  if (tooLate) return done(epoch, "disagreed", { differences });
  if (!mayReread) return stay;
  return {
    state: { name: "scoring", epoch, failures: 0 },
    actions: [{ type: "score", epoch }],
  };
}

function outcome(
  epoch: number,
  is: Outcome,
  more: {
    readonly reason?: string;
    readonly differences?: readonly ScoreDifference[];
  } = {},
): Action {
  return {
    type: "report",
    report: { kind: "outcome", epoch, outcome: is, ...more },
  };
}

function done(
  epoch: number,
  is: Outcome,
  more?: Parameters<typeof outcome>[2],
): Step {
  return {
    state: { name: "done", epoch, outcome: is },
    actions: [outcome(epoch, is, more)],
  };
}

function wait(from: State, state: State, reason: string): Step {
  if (from.name === state.name) return { state: from, actions: [] };
  return {
    state,
    actions: [{ type: "report", report: { kind: "waiting", reason } }],
  };
}
