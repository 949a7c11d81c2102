/** Faults of a local chain, for tests: what goes wrong on real ones. */
export interface LocalChainFaults {
  /** Reads fail. */
  unreadable?: boolean;
  /** Every read takes this long, ms. */
  slowness?: number;
  /** What becomes of calls, instead of their being included. */
  calls?:
    /** Included, but the caller is not told. */
    | "lost-receipt"
    /** Never included, and the caller is not told. */
    | "dropped"
    /** Refused by the pool: the nonce is too low. */
    | "stale"
    | undefined;
  /** Calls are included so many blocks late. */
  lateBlocks?: number;
}
