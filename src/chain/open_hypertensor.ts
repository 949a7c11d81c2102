import type { Chain, ChainSigner } from "./chain.ts";
import type { ClientOptions, ClientStatus } from "./hypertensor/client.ts";

/** A Hypertensor chain: a {@linkcode Chain} that knows how its connection is. */
export interface OpenedHypertensor extends Chain {
  /** How the connection is. */
  readonly status: ClientStatus;
}

/** A Hypertensor chain and, with a secret, who signs on it. */
export interface HypertensorAccess {
  /** The chain. */
  readonly chain: OpenedHypertensor;
  /** Signs with the secret's key. */
  readonly signer: ChainSigner | undefined;
}

/**
 * Starts to connect to a Hypertensor chain; what it needs of `@polkadot` is
 * loaded here and not before.
 *
 * @param secret The hotkey's mnemonic or private key.
 * @throws {ConnectionError} for an address that is none.
 * @throws {AccountSecretError} for a secret that is none.
 */
export async function openHypertensor(
  options: ClientOptions,
  secret?: string,
): Promise<HypertensorAccess> {
  const { accountFromSecret, HypertensorChain } = await import(
    "./hypertensor/mod.ts"
  );
  const account = secret === undefined ? undefined : accountFromSecret(secret);
  const chain = HypertensorChain.open(options);
  return { chain, signer: account && chain.signer(account) };
}
