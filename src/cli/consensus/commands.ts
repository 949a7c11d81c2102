import type { Entry } from "../command.ts";

/** The commands that look at a node's votes, each loaded when it is used. */
export const CONSENSUS_COMMANDS: Entry = {
  summary: "Watch epochs, and look at how a node voted, and why.",
  commands: {
    watch: {
      summary: "Follow epochs as they are decided.",
      load: async () => (await import("./watch.ts")).watchCommand,
    },
    "dry-run": {
      summary: "Decide an epoch as a node would, and send nothing.",
      load: async () => (await import("./dry_run.ts")).dryRunCommand,
    },
    history: {
      summary: "List the last epochs and how they ended.",
      load: async () => (await import("./history.ts")).historyCommand,
    },
    explain: {
      summary: "Show step by step how an epoch was decided.",
      load: async () => (await import("./explain.ts")).explainCommand,
    },
    replay: {
      summary: "Run a recorded epoch through the state machine again.",
      load: async () => (await import("./replay.ts")).replayCommand,
    },
  },
};
