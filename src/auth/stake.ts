/** What is known about a peer's stake. `unknown`: the chain cannot be asked. */
export type StakeAnswer = "staked" | "not-staked" | "unknown";

/** Answers whether a peer may take part. */
export interface StakeOracle {
  /** Answers from what is known locally; `undefined` when a question is needed. */
  peek(peerId: string): StakeAnswer | undefined;
  /** Answers, asking the chain when necessary. Never throws for a bad chain. */
  check(peerId: string, signal?: AbortSignal): Promise<StakeAnswer>;
}
