import { toJson } from "../../consensus/recording.ts";
import { MeshError } from "../../core/errors.ts";
import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { JOURNAL_OPTIONS, openJournal } from "./journal_file.ts";
import { stepsText } from "./steps.ts";

/** `meshnode consensus explain` */
export const explainCommand: Command = {
  summary: "Show step by step how an epoch was decided.",
  usage: "EPOCH [options]",
  description:
    `Shows what the node saw in an epoch, what it did and why, from the journal in
its data folder: each event, the states after it, and what followed. With --json
it prints the recording, which \`meshnode consensus replay\` runs again.`,
  options: JOURNAL_OPTIONS,
  positionals: 1,
  examples: [
    ["meshnode consensus explain 1234", "why the node voted as it did"],
    [
      "meshnode consensus explain 1234 --json > epoch.json",
      "a recording to keep, or to send to somebody",
    ],
  ],
  async run(args, { out }) {
    const text = args.positionals[0] ?? "";
    if (!/^\d{1,10}$/.test(text)) {
      throw usageError(
        `"${text}" is no epoch.`,
        "`meshnode consensus history` lists them.",
      );
    }
    const journal = await openJournal(args);
    try {
      const recording = journal.recording(Number(text));
      if (recording === undefined) {
        throw new MeshError(
          "EPOCH_UNKNOWN",
          `Nothing is recorded of epoch ${text}.`,
          { hint: "`meshnode consensus history` lists what is kept." },
        );
      }
      out(args.flag("json") ? toJson(recording) : stepsText(recording));
    } finally {
      journal.close();
    }
    return EXIT.ok;
  },
};
