import type { Chain, ChainView } from "../chain/chain.ts";
import { firstBlockOf } from "../chain/epoch.ts";
import type { ChainConstants } from "../chain/types.ts";
import { blockOfPart, type Phases, readingBlock } from "./phases.ts";

/** When heartbeats count for an epoch's scores, in DHT time (Unix seconds). */
export interface Moment {
  /** Who was online then is present. */
  readonly cutOff: number;
  /**
   * Until when a node that vanished must have been known. A heartbeat that
   * ends while some have read it and others have not yet must not count: the
   * block after the one in which records are read.
   */
  readonly heardUntil: number;
}

/** What {@linkcode readMoment} reads from. */
export interface MomentParts {
  /** The chain. */
  readonly chain: Chain;
  /** The subnet. */
  readonly subnetId: number;
  /** Length of blocks and epochs. */
  readonly constants: ChainConstants;
  /** Boundaries of the epoch. */
  readonly phases: Phases;
}

/** The moment of an epoch: the same for all, whenever they ask. */
export async function readMoment(
  parts: MomentParts,
  epoch: number,
  signal: AbortSignal,
): Promise<Moment> {
  const { chain, subnetId, constants, phases } = parts;
  const { epochLength, blockMilliseconds } = constants;
  const view = await chain.view(undefined, { signal });
  const slot = (await view.subnet(subnetId, { signal }))?.slot ?? 0;
  const timeOf = (block: number) => blockTime(parts, view, block, signal);
  if (epoch === 0) {
    // There is none before it whose scoring phase could count.
    const cutOff = await timeOf(firstBlockOf(0, slot, epochLength));
    return { cutOff, heardUntil: cutOff + blockMilliseconds / 1_000 };
  }
  const before = firstBlockOf(epoch - 1, slot, epochLength);
  const cutOff = await timeOf(before + blockOfPart(phases.score, epochLength));
  const readIn = await timeOf(before + readingBlock(phases, epochLength));
  return { cutOff, heardUntil: readIn + blockMilliseconds / 1_000 };
}

/** A block's own time if the chain can tell, or when it was due. */
async function blockTime(
  { chain, constants: { blockMilliseconds } }: MomentParts,
  view: ChainView,
  block: number,
  signal: AbortSignal,
): Promise<number> {
  const at = await chain.blockAt?.(block, { signal });
  if (at !== undefined) {
    return await (await chain.view(at, { signal })).time({ signal }) / 1_000;
  }
  const ago = (view.block.number - block) * blockMilliseconds;
  return (await view.time({ signal }) - ago) / 1_000;
}
