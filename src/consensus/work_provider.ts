import { createHash } from "node:crypto";
import type { Bytes } from "../core/bytes.ts";
import { concat } from "../core/bytes.ts";

/** What an epoch's work is done with. */
export interface WorkContext {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Our node's id on the chain. */
  readonly nodeId: number;
  /** Our peer id, base58. */
  readonly peerId: string;
  /** 32 bytes that are the same for all nodes of an epoch, and others in each. */
  readonly seed: Bytes;
  /** Aborted when the result would come too late. */
  readonly signal: AbortSignal;
}

/** A subnet's own work: its result is committed to, revealed and scored. */
export interface WorkProvider {
  /** Does the work of an epoch; at most 16 KiB. It may be asked anew after a failure or a restart. */
  perform(context: WorkContext): Promise<Uint8Array>;
}

/** The seed of an epoch's work. */
export function workSeed(
  genesis: string,
  subnetId: number,
  epoch: number,
): Bytes {
  return concat(
    createHash("sha256").update(`${genesis} work ${subnetId} ${epoch}`)
      .digest(),
  );
}
