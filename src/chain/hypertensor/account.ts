import { Keyring } from "@polkadot/keyring";
import type { KeyringPair } from "@polkadot/keyring/types";
import { mnemonicValidate } from "@polkadot/util-crypto";
import { MeshError } from "../../core/errors.ts";

/** Where the account of a mnemonic is derived, as the Mesh Template does. */
const PATH = "/m/44'/60'/0'/0/0";

/** The error for a secret that is no account's. It never contains the secret. */
export class AccountSecretError extends MeshError {
  /** Says what is expected. */
  constructor(message: string) {
    super("ACCOUNT_SECRET", message, {
      hint: "Give a mnemonic of 12 to 24 words, or 64 hex digits.",
    });
    this.name = "AccountSecretError";
  }
}

/**
 * The key pair of a hot- or coldkey, from its mnemonic or private key.
 *
 * @throws {AccountSecretError} when it is neither.
 */
export function accountFromSecret(secret: string): KeyringPair {
  const keyring = new Keyring({ type: "ethereum" });
  const words = secret.trim().split(/\s+/);
  if (words.length > 1) {
    const phrase = words.join(" ");
    if (!mnemonicValidate(phrase)) {
      throw new AccountSecretError("The mnemonic is not valid.");
    }
    // Without the path it would be another account.
    return keyring.addFromUri(phrase + PATH);
  }
  const digits = (words[0] as string).replace(/^0x/, "");
  if (!/^[0-9a-fA-F]{64}$/.test(digits) || /^0+$/.test(digits)) {
    throw new AccountSecretError("The private key is not valid.");
  }
  return keyring.addFromUri(`0x${digits}`);
}
