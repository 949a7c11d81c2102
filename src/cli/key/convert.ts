import {
  identityFromMarshalled,
  openKeystore,
  parseKeystore,
  readIdentityFile,
  seal,
  sealKeystore,
  writePrivateFile,
} from "../../identity/mod.ts";
import { type Options, type Parsed, usageError } from "../args.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit.ts";
import { terminalPrompt } from "../prompt.ts";
import { readSecretFile } from "../secret_file.ts";
import { PASSPHRASE_OPTIONS, Passphrases } from "../secrets.ts";
import { identityFacts, keyFileAt, tell } from "./facts.ts";
import { pathOf } from "./show.ts";

const COMMON: Options = {
  output: { value: "PATH", help: "Where to write it; never over a file." },
  ...PASSPHRASE_OPTIONS,
  json: { help: "Print JSON." },
};

/** `meshnode key encrypt` */
export const encryptCommand: Command = {
  summary: "Protect a key file with a passphrase.",
  usage: "PATH --output PATH [options]",
  description:
    `Writes an encrypted copy of an identity file, or of a file with the mnemonic or
private key of a hotkey. Remove the unprotected one yourself, once you have
tried the copy.`,
  options: COMMON,
  positionals: 1,
  examples: [
    ["meshnode key encrypt identity.key --output sealed.key", "an identity"],
    ["meshnode key encrypt mnemonic.txt --output hotkey.json", "a hotkey"],
  ],
  async run(args, context) {
    const [path, output] = [pathOf(args), outputOf(args)];
    const passphrases = new Passphrases(args, context.err);
    const file = await keyFileAt(path);
    if (file.sealed) {
      throw usageError(
        `The key in ${path} is encrypted already.`,
        "Decrypt it first to change its passphrase.",
      );
    }
    if (file.kind === "hotkey") {
      await writeHotkey(file.text, output, args, context, passphrases);
      return EXIT.ok;
    }
    const identity = await readIdentityFile(path);
    const sealed = await seal(identity, await passphrases.fresh(output));
    await writePrivateFile(output, sealed);
    const facts = identityFacts(identity, output, "passphrase");
    tell(context, facts, args.flag("json"));
    return EXIT.ok;
  },
};

/** `meshnode key decrypt` */
export const decryptCommand: Command = {
  summary: "Take a key file's passphrase away.",
  usage: "PATH --output PATH [options]",
  description:
    `Writes an unprotected copy of an encrypted identity or hotkey file, for its
owner alone. Whoever can read that file has the key.`,
  options: COMMON,
  positionals: 1,
  examples: [
    ["meshnode key decrypt sealed.key --output identity.key", "an identity"],
  ],
  async run(args, context) {
    const [path, output] = [pathOf(args), outputOf(args)];
    const passphrases = new Passphrases(args, context.err);
    const file = await keyFileAt(path);
    if (!file.sealed) {
      throw usageError(
        `The key in ${path} is not encrypted.`,
        "Copy it, if a copy is what you want.",
      );
    }
    const existing = () => passphrases.existing(path);
    if (file.kind === "identity") {
      const identity = await readIdentityFile(path, existing);
      await writePrivateFile(output, identity.marshalled);
      tell(context, identityFacts(identity, output), args.flag("json"));
      return EXIT.ok;
    }
    const keystore = parseKeystore(file.text);
    const secret = await openKeystore(keystore, await existing());
    const text = new TextEncoder().encode(`0x${secret.toHex()}\n`);
    await writePrivateFile(output, text);
    const { address: account } = keystore;
    tell(context, { path: output, account }, args.flag("json"));
    return EXIT.ok;
  },
};

/** `meshnode key import` */
export const importCommand: Command = {
  summary: "Make a key file of a key from elsewhere.",
  usage: "--kind KIND --output PATH [options]",
  description:
    `Reads a key that was made elsewhere and writes a key file. A hotkey comes as
a mnemonic (path m/44'/60'/0'/0/0) or a private key in hex, and is encrypted; an
identity comes as libp2p's marshalled key in base64, as \`key export\` prints it,
and is encrypted when a passphrase is given. It is read from a file, or asked
for at the terminal; it is never part of the command line.`,
  options: {
    kind: { value: "KIND", help: "identity or hotkey.", default: "hotkey" },
    from: { value: "FILE", help: "File that holds it; asked for without one." },
    ...COMMON,
  },
  examples: [
    [
      "meshnode key import --from mnemonic.txt --output hotkey.json",
      "a hotkey from its mnemonic",
    ],
  ],
  async run(args, context) {
    const output = outputOf(args);
    const kind = args.text("kind");
    if (kind !== "identity" && kind !== "hotkey") {
      throw usageError(
        `There is no kind of key "${kind}".`,
        "Use identity or hotkey.",
      );
    }
    const passphrases = new Passphrases(args, context.err);
    const given = await givenSecret(args, context);
    if (kind === "hotkey") {
      await writeHotkey(given, output, args, context, passphrases);
      return EXIT.ok;
    }
    const identity = identityFromMarshalled(fromBase64(given));
    await writePrivateFile(
      output,
      passphrases.given
        ? await seal(identity, await passphrases.fresh(output))
        : identity.marshalled,
    );
    const protection = passphrases.given ? "passphrase" : undefined;
    const facts = identityFacts(identity, output, protection);
    tell(context, facts, args.flag("json"));
    return EXIT.ok;
  },
};

async function givenSecret(
  args: Parsed,
  context: CommandContext,
): Promise<string> {
  const from = args.text("from");
  if (from !== undefined) return await readSecretFile(from, context.err);
  const prompt = terminalPrompt();
  if (prompt.interactive) return await prompt.secret("Key");
  throw usageError(
    "The key to import is missing.",
    "Give its file with --from.",
  );
}

async function writeHotkey(
  given: string,
  output: string,
  args: Parsed,
  context: CommandContext,
  passphrases: Passphrases,
): Promise<void> {
  const { accountOf } = await import("./account.ts");
  const { account, secret } = accountOf(given);
  const passphrase = await passphrases.fresh(`${output} (${account})`);
  const text = await sealKeystore(secret, account, passphrase);
  await writePrivateFile(output, new TextEncoder().encode(`${text}\n`));
  const facts = { path: output, account, protection: "passphrase" };
  tell(context, facts, args.flag("json"));
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text.trim());
  } catch {
    // The cause would quote the key.
    throw usageError(
      "The key is no base64.",
      "An identity is imported as `meshnode key export` prints it.",
    );
  }
}

function outputOf(args: Parsed): string {
  const output = args.text("output");
  if (output !== undefined) return output;
  throw usageError(
    "It is not said where to write the key.",
    "Give --output PATH.",
  );
}
