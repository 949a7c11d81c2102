import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { table } from "../table.ts";
import { JOURNAL_OPTIONS, openJournal } from "./journal_file.ts";

/** `meshnode consensus history` */
export const historyCommand: Command = {
  summary: "List the last epochs and how they ended.",
  usage: "[options]",
  description:
    `Lists the epochs that a node took part in, the newest first, from the journal
in its data folder. It works while the node runs, and after it.`,
  options: {
    ...JOURNAL_OPTIONS,
    most: { value: "N", help: "Epochs to list.", default: "20" },
  },
  examples: [
    ["meshnode consensus history", "the last twenty epochs"],
    ["meshnode consensus history --most 1000 --json", "all that is kept"],
  ],
  async run(args, { out }) {
    const most = args.integer("most", 1, 100_000);
    const journal = await openJournal(args);
    try {
      const epochs = journal.summaries(most);
      if (args.flag("json")) out(jsonText(epochs));
      else if (epochs.length === 0) out("No epoch was decided yet.");
      else {
        out(table([
          {
            title: "Epoch",
            align: "right",
            cell: ({ epoch }) => String(epoch),
          },
          { title: "Vote", cell: ({ outcome }) => outcome ?? "under way" },
          { title: "Work", cell: ({ work }) => work ?? "" },
          { title: "Why", cell: ({ reason }) => reason ?? "" },
        ], epochs));
      }
    } finally {
      journal.close();
    }
    return EXIT.ok;
  },
};
