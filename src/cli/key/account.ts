// Loaded only where an account's key is used: what it needs is large.
import {
  hdEthereum,
  mnemonicGenerate,
  mnemonicToLegacySeed,
} from "@polkadot/util-crypto";
import { accountFromSecret } from "../../chain/hypertensor/account.ts";

const PATH = "m/44'/60'/0'/0/0";

/** An account with what it is made from. */
export interface AccountKey {
  /** Hex with `0x`, lower case. */
  readonly account: string;
  /** The private key, 32 bytes. */
  readonly secret: Uint8Array;
}

/** A new account. */
export function newAccount(): AccountKey & { readonly mnemonic: string } {
  const mnemonic = mnemonicGenerate(12);
  return { ...accountOf(mnemonic), mnemonic };
}

/** The account of a mnemonic or a private key. @throws {AccountSecretError} */
export function accountOf(given: string): AccountKey {
  const account = accountFromSecret(given).address.toLowerCase();
  const words = given.trim().split(/\s+/);
  const secret = words.length > 1
    ? hdEthereum(mnemonicToLegacySeed(words.join(" "), "", false, 64), PATH)
      .secretKey
    : Uint8Array.fromHex((words[0] as string).replace(/^0x/, ""));
  // Whoever keeps it relies on it: the key and the account are one.
  const again = accountFromSecret(secret.toHex()).address.toLowerCase();
  if (again !== account) throw new Error("The key is not the account's.");
  return { account, secret };
}
