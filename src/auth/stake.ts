import type { NodeClass } from "../chain/types.ts";

/** What is known about a peer's stake. `unknown`: the chain cannot be asked. */
export type StakeAnswer = "staked" | "not-staked" | "unknown";

/** What goes with a question about a peer. */
export interface StakeQuestion {
  /** Least class of the peer's node; the oracle's own by default. */
  readonly minClass?: NodeClass | undefined;
  /** Where the peer connects from: questions are shared out among the origins. */
  readonly origin?: string | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** Answers whether a peer may take part. */
export interface StakeOracle {
  /** Answers from what is known locally; `undefined` when a question is needed. */
  peek(peerId: string, minClass?: NodeClass): StakeAnswer | undefined;
  /** Answers, asking the chain when necessary. Never throws for a bad chain. */
  check(peerId: string, question?: StakeQuestion): Promise<StakeAnswer>;
}
