import type { KeyringPair } from "@polkadot/keyring/types";
import { raceSignal } from "../../core/deadline.ts";
import { type Options, type Parsed, usageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { readSecretDescriptor, readSecretFile } from "../secret_file.ts";
import { accountSecret, PASSPHRASE_OPTIONS, Passphrases } from "../secrets.ts";
import { parseAccount } from "./input.ts";

/** Options that say whose key signs. Secrets are never options themselves. */
export const KEY_OPTIONS: Options = {
  "key-file": {
    value: "PATH",
    help:
      "File with the mnemonic or private key that signs, or a keystore of `meshnode key`; asked for at the terminal otherwise.",
  },
  "key-fd": {
    value: "N",
    help: "The same from standard input (0), or from the pipe of a descriptor.",
  },
  ...PASSPHRASE_OPTIONS,
};

/** Who signs, or would sign. */
export interface Signer {
  /** The account, lower-case hex with `0x`. */
  readonly account: string;
  /** The key; absent when nothing is to be sent. */
  readonly pair: KeyringPair | undefined;
}

/**
 * Who signs: by a key, or, where nothing is to be sent, by the account alone.
 *
 * @throws {MeshError}
 */
export async function signerOf(
  args: Parsed,
  context: CommandContext,
): Promise<Signer> {
  const from = args.text("from");
  if (from !== undefined) {
    if (!args.flag("dry-run")) {
      throw usageError(
        "An account alone cannot sign.",
        "Use --from with --dry-run, or give its key with --key-file.",
      );
    }
    return { account: await parseAccount(from), pair: undefined };
  }
  const secret = await secretOf(args, context);
  const { accountFromSecret } = await import(
    "../../chain/hypertensor/account.ts"
  );
  const pair = accountFromSecret(secret);
  return { account: pair.address.toLowerCase(), pair };
}

async function secretOf(
  args: Parsed,
  context: CommandContext,
): Promise<string> {
  const path = args.text("key-file");
  const descriptor = args.text("key-fd");
  if (path !== undefined && descriptor !== undefined) {
    throw usageError(
      "Two keys are given.",
      "Use --key-file or --key-fd, not both.",
    );
  }
  const opened = (text: string, name: string) => {
    const { err, prompt, signal } = context;
    const passphrases = new Passphrases(args, err, prompt);
    return raceSignal(accountSecret(text, name, passphrases), signal);
  };
  if (path !== undefined) {
    return await opened(await readSecretFile(path, context.err), path);
  }
  if (descriptor !== undefined) {
    const text = await raceSignal(
      readSecretDescriptor(args.integer("key-fd", 0, 1_023)),
      context.signal,
    );
    return await opened(text, `descriptor ${descriptor}`);
  }
  if (!context.prompt.interactive) {
    throw usageError(
      "It is not said whose key signs.",
      "Give --key-file PATH or --key-fd N" +
        (args.flag("dry-run") ? ", or --from ACCOUNT to try it out." : "."),
    );
  }
  return await raceSignal(
    context.prompt.secret("Mnemonic or private key of the signing account"),
    context.signal,
  );
}
