/** Where a block lies in its subnet epoch. */
export interface EpochPosition {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Blocks since the epoch's first one. */
  readonly elapsed: number;
  /** Blocks until the next epoch's first one. */
  readonly remaining: number;
  /** `elapsed` by the epoch's length, in [0, 1). */
  readonly progress: number;
  /** Whether the block lies before the first epoch's first block. */
  readonly beforeSlot: boolean;
}

/** The network epoch of a block. */
export function networkEpoch(block: number, epochLength: number): number {
  return Math.floor(block / epochLength);
}

/** Where a block lies in the epochs of the subnet with this slot. */
export function epochPosition(
  block: number,
  slot: number,
  epochLength: number,
): EpochPosition {
  if (block < slot) {
    return {
      epoch: 0,
      elapsed: 0,
      remaining: slot - block,
      progress: 0,
      beforeSlot: true,
    };
  }
  const elapsed = (block - slot) % epochLength;
  return {
    epoch: Math.floor((block - slot) / epochLength),
    elapsed,
    remaining: epochLength - elapsed,
    progress: elapsed / epochLength,
    beforeSlot: false,
  };
}

/** The first block of a subnet epoch. */
export function firstBlockOf(
  epoch: number,
  slot: number,
  epochLength: number,
): number {
  return slot + epoch * epochLength;
}
