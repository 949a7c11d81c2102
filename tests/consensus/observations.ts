import {
  type ConsensusReport,
  epochPosition,
  type Event,
  INITIAL_STATE,
  type MachineRules,
  type NodeClass,
  type NodeScore,
  type Observation,
  type ObservedSubmission,
  ONE,
  phaseAt,
  type State,
  step,
  VOTE_TRANSITIONS,
  WORK_TRANSITIONS,
} from "../../mod.ts";
import { MACHINE_RULES } from "../../src/consensus/rules.ts";
import { assert } from "../assert.ts";

/** Node 1, and nobody else. */
export const SCORES: readonly NodeScore[] = [{ nodeId: 1, score: ONE }];

/** The rules of a subnet with work. */
export const WORKING: MachineRules = { ...MACHINE_RULES, work: true };

/** A source of chance that repeats itself from its seed. */
export function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** What node 1 sees at a block; epochs of 20 blocks from block 3 on. */
export function observation(
  block: number,
  more: Partial<Observation> = {},
): Observation {
  const position = epochPosition(block, 3, 20);
  return {
    block,
    subnet: "active",
    position,
    phase: phaseAt(position, MACHINE_RULES.phases),
    joined: true,
    settled: true,
    node: nodeOf("validator"),
    elected: 1,
    mayAttest: true,
    ...more,
  };
}

/** Node 1 of a class. */
export function nodeOf(nodeClass: NodeClass, startEpoch = 0) {
  return { id: 1, nodeClass, startEpoch };
}

/** A proposal. */
export function submissionBy(
  validatorId: number,
  more: Partial<ObservedSubmission> = {},
): ObservedSubmission {
  return {
    validatorId,
    attested: false,
    scores: SCORES,
    queue: "unchanged",
    ...more,
  };
}

/** A block, as an event. */
export function block(number: number, more?: Partial<Observation>): Event {
  return { type: "block", observation: observation(number, more) };
}

/** Our scores of epoch 0, as an event. */
export function scored(
  number: number,
  more?: Partial<Observation>,
  scores = SCORES,
): Event {
  return {
    type: "scored",
    epoch: 0,
    scores,
    queue: {},
    observation: observation(number, more),
  };
}

/** Runs events through the machine, checks that it keeps to its tables, and tells what it did. */
export function walk(
  events: readonly Event[],
  rules: MachineRules = MACHINE_RULES,
  state: State = INITIAL_STATE,
): {
  readonly state: State;
  readonly did: string[];
  readonly reports: Extract<ConsensusReport, { kind: "outcome" }>[];
} {
  const did: string[] = [];
  const reports: Extract<ConsensusReport, { kind: "outcome" }>[] = [];
  for (const event of events) {
    const next = step(state, event, rules);
    for (
      const [from, to, table] of [
        [state.vote.name, next.state.vote.name, VOTE_TRANSITIONS],
        [state.work.name, next.state.work.name, WORK_TRANSITIONS],
      ] as const
    ) {
      const follows = (table as Record<string, readonly string[]>)[from];
      // A block can end one epoch's work and begin the next one's.
      const turned = table === WORK_TRANSITIONS && event.type === "block" &&
        follows?.includes("resting") && to === "performing";
      assert(
        from === to || follows?.includes(to) || turned,
        `${from} to ${to} by ${event.type}`,
      );
    }
    state = next.state;
    did.push(
      ...next.actions.flatMap((action) => {
        if (action.type === "publish") return [action.what];
        if (action.type !== "report") return [action.type];
        const { report } = action;
        if (report.kind === "outcome") reports.push(report);
        return report.kind === "outcome" || report.kind === "work"
          ? [report.outcome]
          : [];
      }),
    );
  }
  return { state, did, reports };
}
