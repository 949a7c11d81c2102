import { atLeast } from "../chain/types.ts";
import type { Observation } from "./observation.ts";
import type { WorkOutcome } from "./report.ts";
import type { MachineRules } from "./rules.ts";
import type { WorkEvent, WorkState, WorkStep } from "./work_state.ts";

/** What follows for work when the node was restarted. */
export function resumeWork(state: WorkState): WorkState {
  return "asked" in state ? { ...state, asked: false } : state;
}

/** What follows from a result. Results of what is over change nothing. */
export function onWorkEvent(state: WorkState, event: WorkEvent): WorkStep {
  const stay = { state, actions: [] };
  if (!("epoch" in state) || state.epoch !== event.epoch) return stay;
  const { epoch } = state;
  switch (event.type) {
    case "performed":
      if (state.name !== "performing") return stay;
      if (event.observation.position.epoch !== epoch) return close(state);
      return publishOnce({ name: "performed", epoch }, event.observation);
    case "performing-failed":
      if (state.name !== "performing") return stay;
      return {
        state: { ...state, asked: false, failures: state.failures + 1 },
        actions: [],
      };
    case "published": {
      const busy = event.what === "commit" ? "committing" : "revealing";
      if (state.name !== busy) return stay;
      if (!event.complete) {
        // The next block tries again, as long as the window is open.
        const stored = state.stored || event.stored;
        return { state: { ...state, asked: false, stored }, actions: [] };
      }
      return busy === "committing"
        ? { state: { name: "committed", epoch }, actions: [] }
        : rest(epoch, "revealed");
    }
  }
}

/** What follows from a block. */
export function onWorkBlock(
  state: WorkState,
  seen: Observation,
  rules: MachineRules,
): WorkStep {
  if ("epoch" in state && state.epoch < seen.position.epoch) {
    const { state: rested, actions } = close(state);
    const next = onWorkBlock(rested, seen, rules);
    return { ...next, actions: [...actions, ...next.actions] };
  }
  // What was seen of an epoch that is left behind says nothing of this one.
  const isBehind = "epoch" in state && state.epoch > seen.position.epoch;
  if (isBehind || !isWorker(seen)) return { state, actions: [] };
  const { epoch } = seen.position;
  const { phase, joined } = seen;
  switch (state.name) {
    case "resting":
      if (!rules.work || rules.dryRun || epoch <= state.after) break;
      if (phase !== "vote" && phase !== "commit") break;
      return {
        state: { name: "performing", epoch, asked: true, failures: 0 },
        actions: [{ type: "perform", epoch }],
      };
    case "performing":
      if (phase === "reveal" || phase === "score") return close(state);
      if (state.failures > rules.maxFailures) {
        return rest(epoch, "not-committed", "the work failed");
      }
      if (state.asked) break;
      return {
        state: { ...state, asked: true },
        actions: [{ type: "perform", epoch }],
      };
    case "performed":
      return publishOnce(state, seen);
    case "committing":
      if (phase === "commit") return publishAgain(state, joined, "commit");
      // It may have arrived without our knowing: then the reveal is owed.
      return publishOnce({ name: "committed", epoch }, seen);
    case "committed":
      return publishOnce(state, seen);
    case "revealing":
      if (phase === "reveal") return publishAgain(state, joined, "reveal");
      return close(state);
  }
  return { state, actions: [] };
}

function isWorker({ subnet, node, position }: Observation): boolean {
  return subnet === "active" && !position.beforeSlot && node !== undefined &&
    atLeast(node.nodeClass, "included") && node.startEpoch <= position.epoch;
}

/** Publishes what is ready, once its window is open. */
function publishOnce(
  state: Extract<WorkState, { name: "performed" | "committed" }>,
  { phase, joined }: Observation,
): WorkStep {
  const { epoch } = state;
  const what = state.name === "performed" ? "commit" : "reveal";
  if (phase === what) {
    const name = what === "commit" ? "committing" : "revealing";
    return publishAgain(
      { name, epoch, asked: false, stored: false },
      joined,
      what,
    );
  }
  const over = phase === "score" ||
    what === "commit" && phase === "reveal";
  return over ? close(state) : { state, actions: [] };
}

function publishAgain(
  state: Extract<WorkState, { name: "committing" | "revealing" }>,
  joined: boolean,
  what: "commit" | "reveal",
): WorkStep {
  if (state.asked || !joined) return { state, actions: [] };
  return {
    state: { ...state, asked: true },
    actions: [{ type: "publish", epoch: state.epoch, what }],
  };
}

/** What is told when a window closed on unfinished work. */
function close(state: WorkState): WorkStep {
  switch (state.name) {
    case "resting":
      return { state, actions: [] };
    case "performing":
      return rest(
        state.epoch,
        "not-committed",
        "the work was not done in time",
      );
    case "performed":
      return rest(state.epoch, "not-committed", "the window was missed");
    case "committing":
      return rest(state.epoch, "not-committed", "nobody is known to have it");
    case "committed":
      return rest(state.epoch, "not-revealed", "the window was missed");
    case "revealing":
      return state.stored
        ? rest(state.epoch, "revealed")
        : rest(state.epoch, "not-revealed", "no other node took it");
  }
}

function rest(epoch: number, outcome: WorkOutcome, reason?: string): WorkStep {
  return {
    state: { name: "resting", after: epoch },
    actions: [{
      type: "report",
      report: {
        kind: "work",
        epoch,
        outcome,
        ...(reason === undefined ? {} : { reason }),
      },
    }],
  };
}
