import { KEY_COMMANDS } from "./key/commands.ts";
import { VERSION } from "../core/version.ts";
import { CHAIN_COMMANDS } from "./chain/commands.ts";
import { type CommandContext, dispatch, type Entry } from "./command.ts";
import { CONSENSUS_COMMANDS } from "./consensus/commands.ts";
import { DHT_COMMANDS } from "./dht/commands.ts";
import { describeError, EXIT, exitCodeOf } from "./exit.ts";
import { terminalPrompt } from "./prompt.ts";

const ROOT: Entry = {
  summary: `meshnode ${VERSION}: a node of a Hypertensor subnet`,
  commands: {
    dev: {
      summary: "See a whole mesh work on this machine.",
      load: async () => (await import("./dev.ts")).devCommand,
    },
    run: {
      summary: "Run a node.",
      load: async () => (await import("./run.ts")).runCommand,
    },
    key: KEY_COMMANDS,
    dht: DHT_COMMANDS,
    consensus: CONSENSUS_COMMANDS,
    ...CHAIN_COMMANDS,
  },
};

/** The signals that end a command, and their numbers. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

type EndSignal = keyof typeof SIGNALS;

/** Signals that come within this time are one, ms. */
const SAME_SIGNAL = 1_000;

const encoder = new TextEncoder();

/** Writes at once, whole; says whether what reads it is still there. */
function writer(stream: typeof Deno.stdout): (line: string) => boolean {
  return (line) => {
    const bytes = encoder.encode(`${line}\n`);
    try {
      for (let at = 0; at < bytes.length;) {
        at += stream.writeSync(bytes.subarray(at));
      }
      return true;
    } catch {
      return false;
    }
  };
}

/** Runs the command line and gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const ending = new AbortController();
  let endedAt = Infinity;
  let endedBy: EndSignal | undefined;
  const end = (signal: EndSignal) => {
    endedBy ??= signal;
    // Ctrl-C once more ends at once; what started us may pass on the same one.
    const again = performance.now() - endedAt > SAME_SIGNAL;
    if (signal === "SIGINT" && again) Deno.exit(EXIT.ended + SIGNALS.SIGINT);
    endedAt = Math.min(endedAt, performance.now());
    ending.abort(new DOMException(`Ended by ${signal}.`, "AbortError"));
  };
  // Before anything is loaded: a signal may come at any moment.
  for (const signal of Object.keys(SIGNALS) as EndSignal[]) {
    Deno.addSignalListener(signal, () => end(signal));
  }
  const context: CommandContext = {
    out: writer(Deno.stdout),
    err: writer(Deno.stderr),
    isTerminal: Deno.stdout.isTerminal(),
    prompt: terminalPrompt(),
    signal: ending.signal,
  };
  if (args[0] === "--version") {
    context.out(`meshnode ${VERSION}`);
    return EXIT.ok;
  }
  try {
    return await dispatch("meshnode", ROOT, args, context);
  } catch (error) {
    if (endedBy !== undefined && error === ending.signal.reason) {
      context.err(`error: Ended by ${endedBy} before it was done.`);
      return EXIT.ended + SIGNALS[endedBy];
    }
    context.err(describeError(error));
    return exitCodeOf(error);
  }
}
