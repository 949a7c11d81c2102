import {
  generateIdentity,
  type KeyType,
  seal,
  sealKeystore,
  writePrivateFile,
} from "../../identity/mod.ts";
import { type Parsed, usageError } from "../args.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit.ts";
import { PASSPHRASE_OPTIONS, Passphrases } from "../secrets.ts";
import { DEFAULT_PATH, identityFacts, tell } from "./facts.ts";

/** `meshnode key generate` */
export const generateCommand: Command = {
  summary: "Make a new identity or hotkey file.",
  usage: "[options]",
  description: `Makes a new key pair and writes it to a file of its owner only.

An identity is what makes a peer itself, a hotkey signs its consensus calls on
the chain: keep a copy in a safe place, and give it to nobody. Hotkeys are
always encrypted (Web3 secret storage), identities with --encrypt.`,
  options: {
    kind: { value: "KIND", help: "identity or hotkey.", default: "identity" },
    output: {
      value: "PATH",
      help: `Where to write it; hotkey.json for a hotkey.`,
      default: DEFAULT_PATH,
    },
    type: {
      value: "TYPE",
      help: "Of an identity: ed25519, or rsa (2048 bits).",
      default: "ed25519",
    },
    encrypt: { help: "Encrypt an identity with a passphrase." },
    reveal: {
      help: "Print the hotkey's mnemonic, from which it can be made again.",
    },
    force: { help: "Replace a file that is there. Its key is lost." },
    ...PASSPHRASE_OPTIONS,
    json: { help: "Print JSON." },
  },
  examples: [
    ["meshnode key generate", "an Ed25519 identity in identity.key"],
    ["meshnode key generate --encrypt", "one that a passphrase protects"],
    [
      "meshnode key generate --kind hotkey --output hotkey.json --reveal",
      "a hotkey, with its mnemonic to write down",
    ],
  ],
  async run(args, context) {
    const passphrases = new Passphrases(args, context.err);
    const kind = args.text("kind");
    if (kind === "identity") await makeIdentity(args, context, passphrases);
    else if (kind === "hotkey") await makeHotkey(args, context, passphrases);
    else {
      throw usageError(
        `There is no kind of key "${kind}".`,
        "Use identity or hotkey.",
      );
    }
    return EXIT.ok;
  },
};

async function makeIdentity(
  args: Parsed,
  context: CommandContext,
  passphrases: Passphrases,
): Promise<void> {
  const type = args.text("type");
  const path = args.text("output") as string;
  if (type !== "ed25519" && type !== "rsa") {
    throw usageError(`There is no key type "${type}".`, "Use ed25519 or rsa.");
  }
  if (args.flag("reveal")) {
    throw usageError(
      "An identity has no mnemonic.",
      "See `meshnode key export` for its bytes.",
    );
  }
  const sealed = args.flag("encrypt") || passphrases.given;
  const passphrase = sealed ? await passphrases.fresh(path) : undefined;
  const identity = generateIdentity(type satisfies KeyType);
  const bytes = passphrase === undefined
    ? identity.marshalled
    : await seal(identity, passphrase);
  await writePrivateFile(path, bytes, { overwrite: args.flag("force") });
  const facts = identityFacts(
    identity,
    path,
    sealed ? "passphrase" : undefined,
  );
  tell(context, facts, args.flag("json"));
}

async function makeHotkey(
  args: Parsed,
  context: CommandContext,
  passphrases: Passphrases,
): Promise<void> {
  const given = args.text("output") as string;
  const path = given === DEFAULT_PATH ? "hotkey.json" : given;
  const passphrase = await passphrases.fresh(path);
  const { newAccount } = await import("./account.ts");
  const { mnemonic, account, secret } = newAccount();
  const text = await sealKeystore(secret, account, passphrase);
  await writePrivateFile(path, new TextEncoder().encode(`${text}\n`), {
    overwrite: args.flag("force"),
  });
  tell(context, {
    path,
    account,
    protection: "passphrase",
    ...(args.flag("reveal") ? { mnemonic } : {}),
  }, args.flag("json"));
}
