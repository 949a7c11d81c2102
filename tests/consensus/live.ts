import { INITIAL_STATE, type Journal, step } from "../../mod.ts";
import type { epochEvents } from "./epoch_events.ts";
import { WORKING } from "./observations.ts";

/** Runs events through the machine and a journal, as the driver does. */
export function live(journal: Journal, events: ReturnType<typeof epochEvents>) {
  let state = journal.state ?? INITIAL_STATE;
  for (const { epoch, event } of events) {
    const { state: after, actions } = step(state, event, WORKING);
    if (after === state && actions.length === 0) continue;
    journal.record({
      ...{ epoch, event, after },
      at: 1_000 * epoch,
      before: state,
      rules: WORKING,
      reports: actions.flatMap((action) =>
        action.type === "report" ? [action.report] : []
      ),
    });
    state = after;
  }
  return state;
}
