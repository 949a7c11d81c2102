import {
  generateIdentity,
  type Identity,
  type KeyType,
  readIdentityFile,
  writeIdentityFile,
} from "../identity/mod.ts";
import { usageError } from "./args.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT } from "./exit.ts";

const DEFAULT_PATH = "identity.key";

function show(
  context: CommandContext,
  path: string,
  identity: Identity,
  json: boolean,
): void {
  const facts = {
    path,
    type: identity.type,
    peerId: identity.peerId,
    publicKey: identity.openSsh,
  };
  context.out(
    json ? JSON.stringify(facts) : [
      `Peer id     ${facts.peerId}`,
      `Public key  ${facts.publicKey}`,
      `Type        ${facts.type}`,
      `File        ${facts.path}`,
    ].join("\n"),
  );
}

/** `meshnode key generate` */
export const generateCommand: Command = {
  summary: "Make a new identity file.",
  usage: "[options]",
  description: `Makes a new key pair and writes it to an identity file.

The file is what makes a peer itself: keep a copy of it in a safe place, and
give it to nobody. It is readable by its owner only.`,
  options: {
    output: {
      value: "PATH",
      help: "Where to write it.",
      default: DEFAULT_PATH,
    },
    type: {
      value: "TYPE",
      help: "ed25519, or rsa (2048 bits).",
      default: "ed25519",
    },
    force: { help: "Replace a file that is there. Its identity is lost." },
    json: { help: "Print JSON." },
  },
  examples: [
    ["meshnode key generate", "an Ed25519 identity in identity.key"],
    ["meshnode key generate --type rsa --output node.key", "an RSA identity"],
  ],
  async run(args, context) {
    const type = args.text("type");
    const path = args.text("output") as string;
    if (type !== "ed25519" && type !== "rsa") {
      throw usageError(
        `There is no key type "${type}".`,
        "Use ed25519 or rsa.",
      );
    }
    const identity = generateIdentity(type satisfies KeyType);
    await writeIdentityFile(path, identity, { overwrite: args.flag("force") });
    show(context, path, identity, args.flag("json"));
    return EXIT.ok;
  },
};

/** `meshnode key show` */
export const showCommand: Command = {
  summary: "Show whose identity a file holds.",
  usage: "[PATH] [options]",
  description: "Shows the peer id and the public key of an identity file.",
  options: { json: { help: "Print JSON." } },
  positionals: 1,
  examples: [
    ["meshnode key show", "the identity in identity.key"],
    ["meshnode key show node.key --json", "another one, for programs"],
  ],
  async run(args, context) {
    const path = args.positionals[0] ?? DEFAULT_PATH;
    show(context, path, await readIdentityFile(path), args.flag("json"));
    return EXIT.ok;
  },
};
