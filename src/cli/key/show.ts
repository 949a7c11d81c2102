import {
  openKeystore,
  parseKeystore,
  readIdentityFile,
  sealedIdentityFile,
} from "../../identity/mod.ts";
import { type Parsed, usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { PASSPHRASE_OPTIONS, Passphrases } from "../secrets.ts";
import { DEFAULT_PATH, identityFacts, keyFileAt, tell } from "./facts.ts";

/** `meshnode key show` */
export const showCommand: Command = {
  summary: "Show whose key a file holds.",
  usage: "[PATH] [options]",
  description:
    `Shows the peer id and the public key of an identity file, or the account of a
hotkey file. No secret is shown, and no passphrase is needed.`,
  options: { json: { help: "Print JSON." } },
  positionals: 1,
  examples: [
    ["meshnode key show", "the identity in identity.key"],
    ["meshnode key show hotkey.json --json", "a hotkey, for programs"],
  ],
  async run(args, context) {
    const path = args.positionals[0] ?? DEFAULT_PATH;
    const file = await keyFileAt(path);
    const json = args.flag("json");
    if (file.kind === "hotkey") {
      const account = file.sealed
        ? parseKeystore(file.text).address
        : (await import("./account.ts")).accountOf(file.text).account;
      const protection = file.sealed ? "passphrase" : undefined;
      tell(context, { path, account, protection }, json);
      return EXIT.ok;
    }
    const peerId = await sealedIdentityFile(path);
    tell(
      context,
      peerId === undefined
        ? identityFacts(await readIdentityFile(path), path)
        : { path, peerId, protection: "passphrase" },
      json,
    );
    return EXIT.ok;
  },
};

/** `meshnode key export` */
export const exportCommand: Command = {
  summary: "Print the secret of a key file.",
  usage: "PATH --reveal [options]",
  description:
    `Prints the secret that a key file holds: the private key of a hotkey as hex, the
marshalled key of an identity as base64. Whoever reads it has the key.`,
  options: {
    reveal: { help: "Yes, print the secret." },
    ...PASSPHRASE_OPTIONS,
    json: { help: "Print JSON." },
  },
  positionals: 1,
  examples: [
    ["meshnode key export hotkey.json --reveal", "the private key"],
  ],
  async run(args, context) {
    const path = pathOf(args);
    if (!args.flag("reveal")) {
      throw usageError(
        "This would print a secret.",
        "Add --reveal if you want that, and see who can read your screen.",
      );
    }
    const secret = await secretOf(path, new Passphrases(args, context.err));
    tell(context, { path, secret }, args.flag("json"));
    return EXIT.ok;
  },
};

async function secretOf(
  path: string,
  passphrases: Passphrases,
): Promise<string> {
  const file = await keyFileAt(path);
  if (file.kind === "identity") {
    const identity = await readIdentityFile(
      path,
      () => passphrases.existing(path),
    );
    return identity.marshalled.toBase64();
  }
  if (!file.sealed) return file.text.trim();
  const keystore = parseKeystore(file.text);
  const passphrase = await passphrases.existing(path);
  return `0x${(await openKeystore(keystore, passphrase)).toHex()}`;
}

/** The one path that a command works on. */
export function pathOf(args: Parsed): string {
  const [path] = args.positionals;
  if (path !== undefined) return path;
  throw usageError("The key file is missing.", "Name it after the command.");
}
