import type { Entry } from "../command.ts";

/** `meshnode key` */
export const KEY_COMMANDS: Entry = {
  summary: "Make, show and protect the keys of peers and accounts.",
  commands: {
    generate: {
      summary: "Make a new identity or hotkey file.",
      load: async () => (await import("./generate.ts")).generateCommand,
    },
    show: {
      summary: "Show whose key a file holds.",
      load: async () => (await import("./show.ts")).showCommand,
    },
    encrypt: {
      summary: "Protect a key file with a passphrase.",
      load: async () => (await import("./convert.ts")).encryptCommand,
    },
    decrypt: {
      summary: "Take a key file's passphrase away.",
      load: async () => (await import("./convert.ts")).decryptCommand,
    },
    import: {
      summary: "Make a key file of a key from elsewhere.",
      load: async () => (await import("./convert.ts")).importCommand,
    },
    export: {
      summary: "Print the secret of a key file.",
      load: async () => (await import("./show.ts")).exportCommand,
    },
  },
};
