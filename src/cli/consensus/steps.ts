import { type Recording, replay } from "../../consensus/recording.ts";
import { reportText } from "../node_event.ts";
import { printable, table } from "../table.ts";

/** How an epoch was decided, a line for each step and for what was told. */
export function stepsText(recording: Recording): string {
  const steps = replay(recording);
  const rows = steps.flatMap(({ at, event, vote, work, actions, reports }) => [
    {
      at: new Date(at).toISOString().slice(11, 23),
      event: event.type,
      block: "observation" in event ? String(event.observation.block) : "",
      vote,
      work,
      actions: actions.join(", "),
    },
    ...reports.map((report) => ({
      at: "",
      event: "",
      block: "",
      vote: "",
      work: "",
      actions: reportText(report),
    })),
  ]);
  return `Epoch ${recording.epoch}: ${steps.length} steps\n\n` + table([
    { title: "Time", cell: ({ at }) => at },
    { title: "Event", cell: ({ event }) => event },
    { title: "Block", align: "right", cell: ({ block }) => block },
    { title: "Vote", cell: ({ vote }) => vote },
    { title: "Work", cell: ({ work }) => work },
    { title: "What follows", cell: ({ actions }) => printable(actions) },
  ], rows);
}
