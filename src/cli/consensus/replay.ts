import { parseRecording, replay, toJson } from "../../consensus/recording.ts";
import { MeshError } from "../../core/errors.ts";
import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { stepsText } from "./steps.ts";

/** `meshnode consensus replay` */
export const replayCommand: Command = {
  summary: "Run a recorded epoch through the state machine again.",
  usage: "FILE [options]",
  description:
    `Runs a recording of \`meshnode consensus explain EPOCH --json\` through this
version's state machine, and shows each decision. Nothing is sent.`,
  options: { json: { help: "Print the steps as JSON." } },
  positionals: 1,
  examples: [
    ["meshnode consensus replay epoch.json", "what this version would decide"],
  ],
  async run(args, { out }) {
    const [path] = args.positionals;
    if (path === undefined) {
      throw usageError(
        "No recording is given.",
        "Give the file that `meshnode consensus explain EPOCH --json` printed.",
      );
    }
    const recording = parseRecording(await readText(path));
    out(args.flag("json") ? toJson(replay(recording)) : stepsText(recording));
    return EXIT.ok;
  },
};

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new MeshError("RECORDING_UNREADABLE", `${path} cannot be read.`, {
      cause,
      hint: "Give the path of a recording.",
    });
  }
}
