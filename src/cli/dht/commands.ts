import type { Entry } from "../command.ts";

/** The commands that use the mesh's records, each loaded when it is used. */
export const DHT_COMMANDS: Entry = {
  summary: "Read, write and watch the records of a mesh.",
  commands: {
    get: {
      summary: "Show what lives under a key.",
      load: async () => (await import("./read.ts")).getCommand,
    },
    list: {
      summary: "List a part of a key's dictionary.",
      load: async () => (await import("./read.ts")).listCommand,
    },
    watch: {
      summary: "Show what changes under a key, as it changes.",
      load: async () => (await import("./read.ts")).watchCommand,
    },
    put: {
      summary: "Store a record.",
      load: async () => (await import("./write.ts")).putCommand,
    },
    delete: {
      summary: "Delete a record.",
      load: async () => (await import("./write.ts")).deleteCommand,
    },
    peers: {
      summary: "List the peers of the mesh, or those that hold a key.",
      load: async () => (await import("./peers.ts")).peersCommand,
    },
    trace: {
      summary:
        "Show whom a read asks, how long each takes, and what comes of it.",
      load: async () => (await import("./trace.ts")).traceCommand,
    },
  },
};
