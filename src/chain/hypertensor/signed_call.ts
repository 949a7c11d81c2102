import type { KeyringPair } from "@polkadot/keyring/types";
import type { GenericExtrinsic } from "@polkadot/types";
import type { RuntimeVersion } from "@polkadot/types/interfaces";
import type { ChainTypes } from "./metadata.ts";

/** What a signature covers besides the call. */
export interface SigningFacts {
  /** The chain's identity. */
  readonly genesisHash: string;
  /** The runtime's version. */
  readonly specVersion: number;
  /** The version of the form of transactions. */
  readonly transactionVersion: number;
  /** The account's next number. */
  readonly nonce: number;
  /**
   * The block from which the transaction is valid, and for how many blocks (a
   * power of two, 4 to 65536); for ever when absent.
   */
  readonly era?: {
    readonly block: number;
    readonly blockHash: string;
    readonly period: number;
  };
}

/** A call that can be sent. */
export interface SignedCall {
  /** Its bytes, hex with `0x`. */
  readonly bytes: `0x${string}`;
  /** Its hash, by which it is found. */
  readonly hash: `0x${string}`;
}

/** Signs an encoded call. The signature is deterministic. */
export function signCall(
  { registry }: ChainTypes,
  account: KeyringPair,
  call: `0x${string}`,
  facts: SigningFacts,
): SignedCall {
  const { genesisHash, specVersion, transactionVersion, nonce, era } = facts;
  const extrinsic = registry.createType<GenericExtrinsic>(
    "Extrinsic",
    { method: registry.createType("Call", call) },
    { version: 4 },
  );
  extrinsic.sign(account, {
    genesisHash,
    blockHash: era?.blockHash ?? genesisHash,
    nonce,
    tip: 0,
    era: registry.createType(
      "ExtrinsicEra",
      era === undefined
        ? new Uint8Array([0])
        : { current: era.block, period: era.period },
    ),
    runtimeVersion: registry.createType<RuntimeVersion>("RuntimeVersion", {
      specVersion,
      transactionVersion,
    }),
  });
  return { bytes: extrinsic.toHex(), hash: extrinsic.hash.toHex() };
}
