import type { Header } from "@polkadot/types/interfaces";
import { ChainUnreadableError } from "../errors.ts";
import type { BlockRef } from "../types.ts";
import type { ChainTypes } from "./metadata.ts";

/** A block's header, as far as it matters here. */
export interface BlockHeader extends BlockRef {
  /** The hash of the block before. */
  readonly parentHash: string;
  /** Whether another runtime is in force after this block. */
  readonly upgrades: boolean;
}

/** Substrate's digest item that says that the runtime was replaced. */
const RUNTIME_UPDATED = "0x08";

/**
 * Reads a header that an endpoint told; its hash is computed, not asked for.
 *
 * @throws {ChainUnreadableError}
 */
export function readHeader(
  { registry }: ChainTypes,
  value: unknown,
): BlockHeader {
  const { parentHash, number, stateRoot, extrinsicsRoot, digest } = Object(
    value,
  ) as Record<string, unknown>;
  const logs = (Object(digest) as Record<string, unknown>)["logs"];
  const hashes = [parentHash, stateRoot, extrinsicsRoot];
  if (
    hashes.every((each) => matches(each, /^0x[0-9a-f]{64}$/)) &&
    matches(number, /^0x[0-9a-f]{1,8}$/) &&
    Array.isArray(logs) && logs.length <= 64 &&
    logs.every((each) => matches(each, /^0x(?:[0-9a-f]{2})+$/))
  ) {
    try {
      const header = registry.createType<Header>("Header", value);
      return {
        number: Number(number),
        hash: header.hash.toHex(),
        parentHash: String(parentHash),
        upgrades: logs.includes(RUNTIME_UPDATED),
      };
    } catch (cause) {
      throw new ChainUnreadableError("A header cannot be read.", { cause });
    }
  }
  throw new ChainUnreadableError("What the endpoint tells is no header.");
}

function matches(value: unknown, form: RegExp): boolean {
  return typeof value === "string" && form.test(value);
}
