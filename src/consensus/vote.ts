import { atLeast } from "../chain/types.ts";
import { agrees } from "./attest_policy.ts";
import type { Observation, ObservedNode } from "./observation.ts";
import { blockOfPart, readingBlock } from "./phases.ts";
import { rehearse } from "./rehearsal.ts";
import type { Outcome } from "./report.ts";
import type { MachineRules } from "./rules.ts";
import { compareScores, type ScoreDifference } from "./scores.ts";
import type {
  VoteAction,
  VoteEvent,
  VoteState,
  VoteStep,
} from "./vote_state.ts";

/** Blocks in which a call whose fate is unknown may still appear. */
const QUIET_BLOCKS = 2;

/** What follows for voting when the node was restarted, as seen at a block. */
export function resumeVote(state: VoteState, block: number): VoteState {
  switch (state.name) {
    case "preparing":
    case "scoring":
      return { ...state, asked: false };
    case "proposing":
    case "attesting":
      return unsure(state, block, state.failures);
  }
  return state;
}

/** What follows from a result. Results of what is over change nothing. */
export function onVoteEvent(
  state: VoteState,
  event: VoteEvent,
  rules: MachineRules,
): VoteStep {
  const stay = { state, actions: [] };
  if (!("epoch" in state) || state.epoch !== event.epoch) return stay;
  switch (event.type) {
    case "preparing-failed":
      if (state.name !== "preparing") return stay;
      return {
        state: { ...state, asked: false, failures: state.failures + 1 },
        actions: [],
      };
    case "scored": {
      if (state.name !== "scoring") return stay;
      const { epoch, failures, rereads, quietUntil } = state;
      const { scores, queue, observation } = event;
      // Each further look waits twice as long as the one before.
      const rereadAt = observation.block + 2 ** Math.max(0, rereads - 1);
      return compare(
        {
          name: "comparing",
          ...{ epoch, scores, queue, failures, rereads, quietUntil },
          rereadAt,
        },
        observation,
        rules,
      );
    }
    case "scoring-failed": {
      if (state.name !== "scoring") return stay;
      const failures = state.failures + 1;
      if (failures > rules.maxFailures) {
        return done(state.epoch, "call-failed", { reason: event.reason });
      }
      // The next block asks again.
      return { state: { ...state, asked: false, failures }, actions: [] };
    }
    case "sent":
      if (state.name === "proposing") return done(state.epoch, "proposed");
      if (state.name === "attesting") return done(state.epoch, "attested");
      return stay;
    case "sending-failed": {
      if (state.name !== "proposing" && state.name !== "attesting") return stay;
      const failures = state.failures + 1;
      if (event.final || failures > rules.maxFailures) {
        return done(state.epoch, "call-failed", { reason: event.reason });
      }
      return { state: unsure(state, event.block, failures), actions: [] };
    }
  }
}

/** What follows from a block. */
export function onVoteBlock(
  state: VoteState,
  seen: Observation,
  rules: MachineRules,
): VoteStep {
  const { position, node } = seen;
  if (isBehind(state, seen)) return { state, actions: [] };
  if (seen.subnet !== "active") {
    const next = { name: "awaiting-activation", ...kept(state, seen) } as const;
    return wait(state, next, WAITING[seen.subnet]);
  }
  if (
    node === undefined || !atLeast(node.nodeClass, "idle") ||
    node.startEpoch > position.epoch
  ) {
    const reason = node === undefined
      ? "this node is not registered in the subnet"
      : `node ${node.id} is ${node.nodeClass}, from epoch ${node.startEpoch}`;
    const next = { name: "awaiting-node", ...kept(state, seen) } as const;
    return wait(state, next, reason);
  }
  switch (state.name) {
    case "awaiting-activation":
    case "awaiting-node": {
      const { after = -1, quietUntil = 0 } = state;
      if (position.epoch > after && mayStillVote(seen, node, rules)) {
        // What an earlier life sent, and nobody remembers, may still appear.
        const quiet = position.elapsed === 0 || rules.dryRun ? 0 : QUIET_BLOCKS;
        const until = Math.max(quietUntil, seen.block + quiet);
        return begin(seen, node, rules, until);
      }
      return wait(
        state,
        {
          name: "awaiting-epoch",
          after: Math.max(after, position.beforeSlot ? -1 : position.epoch),
          quietUntil,
        },
        `the next epoch begins in ${position.remaining} blocks`,
      );
    }
    case "awaiting-epoch":
      if (!position.beforeSlot && position.epoch > state.after) {
        return begin(seen, node, rules, state.quietUntil);
      }
      return prepare(state, seen, node, rules);
    case "preparing":
      if (position.epoch >= state.epoch) return begin(seen, node, rules);
      if (state.asked || !seen.settled || state.failures > rules.maxFailures) {
        return { state, actions: [] };
      }
      return ask({ ...state, asked: true }, "prepare");
  }
  if (position.epoch > state.epoch) {
    const late: VoteAction[] = state.name === "done" ? [] : [
      outcome(state.epoch, "out-of-time", lateness(state, seen)),
    ];
    const next = begin(seen, node, rules);
    return { ...next, actions: [...late, ...next.actions] };
  }
  switch (state.name) {
    case "scoring":
      if (state.asked || !seen.settled) return { state, actions: [] };
      return ask({ ...state, asked: true }, "score");
    case "comparing":
      return compare(state, seen, rules);
    case "proposing":
    case "attesting":
      // The chain knows it before the receipt comes, or instead of it.
      if (seen.submission?.attested !== true) return { state, actions: [] };
      return alreadyIn(state.epoch, seen.submission.validatorId, node);
    case "done":
      return prepare(state, seen, node, rules);
  }
}

/** Whether a block is one that the state has left behind. */
function isBehind(
  state: VoteState,
  { block, position }: Observation,
): boolean {
  switch (state.name) {
    case "awaiting-activation":
    case "awaiting-node":
    case "awaiting-epoch": {
      const { after = -1, quietUntil = 0 } = state;
      return position.epoch < after || block + QUIET_BLOCKS < quietUntil;
    }
  }
  const first = state.name === "preparing" ? state.epoch - 1 : state.epoch;
  return position.epoch < first;
}

/** Whether an epoch that has begun without us is still worth a vote. */
function mayStillVote(
  seen: Observation,
  node: ObservedNode,
  rules: MachineRules,
): boolean {
  if (seen.position.beforeSlot) return false;
  // Where nothing is sent, it is never too late to see what would have been.
  if (rules.dryRun) return true;
  if (node.nodeClass !== "validator") return false;
  const missing = seen.elected === node.id && seen.submission === undefined;
  return missing || !isTooLate(seen, rules);
}

function isTooLate({ position }: Observation, rules: MachineRules): boolean {
  const length = position.elapsed + position.remaining;
  return position.elapsed > blockOfPart(rules.phases.cutOff, length);
}

function begin(
  seen: Observation,
  node: ObservedNode,
  rules: MachineRules,
  quietUntil = 0,
): VoteStep {
  const { epoch } = seen.position;
  const started: VoteAction = {
    type: "report",
    report: { kind: "epoch", epoch },
  };
  if (node.nodeClass !== "validator" && !rules.dryRun) {
    const end = done(epoch, "observed", {
      reason: `node ${node.id} is ${node.nodeClass}, validators sign`,
    });
    return { ...end, actions: [started, ...end.actions] };
  }
  const base = { epoch, failures: 0, rereads: 0, quietUntil };
  const state: VoteState = { name: "scoring", asked: seen.settled, ...base };
  return {
    state,
    actions: seen.settled
      ? [started, { type: "score", epoch }]
      : [started, waiting("the node is not connected to the mesh")],
  };
}

function prepare(
  state: VoteState,
  seen: Observation,
  node: ObservedNode,
  rules: MachineRules,
): VoteStep {
  const votes = node.nodeClass === "validator" || rules.dryRun;
  const { beforeSlot, elapsed, remaining } = seen.position;
  if (
    beforeSlot || !seen.settled || !votes ||
    elapsed < readingBlock(rules.phases, elapsed + remaining)
  ) return { state, actions: [] };
  const epoch = seen.position.epoch + 1;
  return ask({ name: "preparing", epoch, asked: true, failures: 0 }, "prepare");
}

function ask(
  state: Extract<VoteState, { name: "preparing" | "scoring" }>,
  type: "prepare" | "score",
): VoteStep {
  const only = state.name === "scoring" ? state.only : undefined;
  return {
    state,
    actions: [{
      type,
      epoch: state.epoch,
      ...(only === undefined ? {} : { only }),
    }],
  };
}

/** Decides with our scores and the chain's word. */
function compare(
  state: Extract<VoteState, { name: "comparing" }>,
  seen: Observation,
  rules: MachineRules,
): VoteStep {
  const { name: _, quietUntil, rereadAt, ...scored } = state;
  const { epoch, scores, queue, failures, rereads } = scored;
  const stay: VoteStep = { state, actions: [] };
  const { node, submission } = seen;
  if (node === undefined || seen.position.epoch !== epoch) return stay;
  const tooLate = isTooLate(seen, rules);
  const quiet = seen.block < quietUntil;
  if (rules.dryRun) {
    const rehearsed = rehearse(seen, node, scores, rules);
    if (rehearsed !== undefined) {
      return done(epoch, rehearsed.outcome, rehearsed);
    }
  }
  if (submission === undefined) {
    if (seen.elected === node.id) {
      if (quiet) return stay;
      return {
        state: { name: "proposing", ...scored, quietUntil },
        actions: [{ type: "propose", epoch, scores, queue }],
      };
    }
    return tooLate ? done(epoch, "no-proposal") : stay;
  }
  if (submission.attested && !rules.dryRun) {
    return alreadyIn(epoch, submission.validatorId, node);
  }
  if (submission.queue === "refused") {
    return done(epoch, "queue-change", {
      reason: "our policy refuses what it does to the queue",
    });
  }
  if (!seen.mayAttest) return done(epoch, "not-an-attestor");
  if (agrees(submission.scores, scores, rules.attest)) {
    if (quiet) return stay;
    return {
      state: { name: "attesting", ...scored, quietUntil },
      actions: [{ type: "attest", epoch }],
    };
  }
  const differences = compareScores(submission.scores, scores);
  if (tooLate) return done(epoch, "disagreed", { differences });
  if (rereads > 0 && seen.block < rereadAt) return stay;
  return ask(
    {
      name: "scoring",
      ...{ epoch, asked: true, failures, rereads: rereads + 1, quietUntil },
      only: differences.map(({ nodeId }) => nodeId),
    },
    "score",
  );
}

const WAITING: Readonly<Record<Observation["subnet"], string>> = {
  missing: "the subnet does not exist",
  registered: "the subnet is not active",
  waiting: "the subnet is not active yet",
  active: "the subnet is active",
  paused: "the subnet is paused",
};

/** Until when a call that was made may appear, and those before it. */
function quietAfter(
  { quietUntil = 0 }: Extract<VoteState, { name: "proposing" | "attesting" }>,
  block: number,
): number {
  return Math.max(quietUntil, block + QUIET_BLOCKS);
}

/** A call was made, and it is unknown whether it is in. */
function unsure(
  state: Extract<VoteState, { name: "proposing" | "attesting" }>,
  block: number,
  failures: number,
): VoteState {
  return {
    ...state,
    name: "comparing",
    failures,
    quietUntil: quietAfter(state, block),
    rereadAt: block,
  };
}

function alreadyIn(
  epoch: number,
  validatorId: number,
  node: ObservedNode,
): VoteStep {
  return done(epoch, validatorId === node.id ? "proposed" : "attested");
}

function lateness(state: VoteState, seen: Observation) {
  if (state.name !== "scoring") return {};
  return seen.settled
    ? { reason: "the scores were not ready" }
    : { reason: "the node is not connected to the mesh" };
}

interface OutcomeDetails {
  readonly reason?: string;
  readonly differences?: readonly ScoreDifference[];
}

function outcome(
  epoch: number,
  is: Outcome,
  details: OutcomeDetails = {},
): VoteAction {
  return {
    type: "report",
    report: { kind: "outcome", epoch, ...details, outcome: is },
  };
}

function done(epoch: number, is: Outcome, details?: OutcomeDetails): VoteStep {
  return {
    state: { name: "done", epoch, outcome: is },
    actions: [outcome(epoch, is, details)],
  };
}

function waiting(reason: string): VoteAction {
  return { type: "report", report: { kind: "waiting", reason } };
}

/** What must not be forgotten while the subnet or the node is gone. */
function kept(
  from: VoteState,
  { block }: Observation,
): { readonly after?: number; readonly quietUntil?: number } {
  switch (from.name) {
    case "done":
      return { after: from.epoch };
    case "preparing":
      return { after: from.epoch - 1 };
    case "scoring":
    case "comparing":
      return { after: from.epoch - 1, quietUntil: from.quietUntil };
    case "proposing":
    case "attesting":
      return { after: from.epoch - 1, quietUntil: quietAfter(from, block) };
  }
  const { name: _, ...same } = from;
  return same;
}

function wait(from: VoteState, state: VoteState, reason: string): VoteStep {
  if (from.name === state.name) return { state: from, actions: [] };
  return { state, actions: [waiting(reason)] };
}
