import { type LifeState, lookAtLife } from "./life.ts";
import type { Observation } from "./observation.ts";
import { MACHINE_RULES, type MachineRules } from "./rules.ts";
import { onVoteBlock, onVoteEvent, resumeVote } from "./vote.ts";
import {
  VOTE_TRANSITIONS,
  type VoteAction,
  type VoteEvent,
  type VoteState,
} from "./vote_state.ts";
import { onWorkBlock, onWorkEvent, resumeWork } from "./work.ts";
import {
  WORK_TRANSITIONS,
  type WorkAction,
  type WorkEvent,
  type WorkState,
} from "./work_state.ts";

/** Where a node is in all that it does, side by side. */
export interface State {
  /** How subnet and node stand. */
  readonly life: LifeState;
  /** Scoring, proposing, attesting. */
  readonly vote: VoteState;
  /** Working, committing, revealing. */
  readonly work: WorkState;
}

/** What can happen. */
export type Event =
  | { readonly type: "block"; readonly observation: Observation }
  /** The node goes on from its journal; what it had asked for is lost. */
  | { readonly type: "resumed"; readonly block: number }
  | VoteEvent
  | WorkEvent;

/** What is to be done. */
export type Action = VoteAction | WorkAction;

/** A state and what is to be done on the way to it. */
export interface Step {
  /** The new state; the same object when nothing changed. */
  readonly state: State;
  /** In this order. */
  readonly actions: readonly Action[];
}

/** Where every node begins. */
export const INITIAL_STATE: State = {
  life: {},
  vote: { name: "awaiting-activation" },
  work: { name: "resting", after: -1 },
};

/** What follows from an event. Pure: the same arguments give the same step. */
export function step(
  state: State,
  event: Event,
  rules: MachineRules = MACHINE_RULES,
): Step {
  switch (event.type) {
    case "block": {
      const life = lookAtLife(state.life, event.observation);
      const vote = onVoteBlock(state.vote, event.observation, rules);
      const work = onWorkBlock(state.work, event.observation, rules);
      const reports = life.reports.map((report) => ({
        type: "report" as const,
        report,
      }));
      return join(state, life.state, vote.state, work.state, [
        ...reports,
        ...vote.actions,
        ...work.actions,
      ]);
    }
    case "resumed":
      // How all stands is told anew: whoever acts by it was restarted, too.
      return join(
        state,
        {},
        resumeVote(state.vote, event.block),
        resumeWork(state.work),
        [],
      );
    case "performed":
    case "performing-failed":
    case "published": {
      const work = onWorkEvent(state.work, event);
      return join(state, state.life, state.vote, work.state, work.actions);
    }
    default: {
      const vote = onVoteEvent(state.vote, event, rules);
      return join(state, state.life, vote.state, state.work, vote.actions);
    }
  }
}

function join(
  before: State,
  life: LifeState,
  vote: VoteState,
  work: WorkState,
  actions: readonly Action[],
): Step {
  const same = before.life === life && before.vote === vote &&
    before.work === work;
  return { state: same ? before : { life, vote, work }, actions };
}

/** Whether a value that was a state once still names states that there are. */
export function isState({ life, vote, work }: Partial<State>): boolean {
  return life !== undefined && vote !== undefined && work !== undefined &&
    Object.hasOwn(VOTE_TRANSITIONS, vote.name) &&
    Object.hasOwn(WORK_TRANSITIONS, work.name);
}
