import { type Quota, TokenBucket } from "../core/token_bucket.ts";

/** Questions about strangers that the chain is asked, and how they are shared out. */
export const QUESTION_QUOTAS = {
  /** Origins that asked before. A chain's endpoint takes more, but others use it, too. */
  known: { perSecond: 0.5, burst: 30 },
  /** Origins that come for the first time: kept for them, whatever the others do. */
  first: { perSecond: 0.5, burst: 30 },
  /** One origin: a flood from one place cannot spend what is there for all. */
  origin: { perSecond: 0.1, burst: 6 },
} as const satisfies Record<string, Quota>;

const MAX_ORIGINS = 1_024;

/** Shares few questions among many strangers. */
export class QuestionBudget {
  readonly #known: TokenBucket;
  readonly #first: TokenBucket;
  readonly #origins = new Map<string, TokenBucket>();

  /** Starts with everything at hand, at a time in milliseconds. */
  constructor(now: number) {
    this.#known = new TokenBucket(QUESTION_QUOTAS.known, now);
    this.#first = new TokenBucket(QUESTION_QUOTAS.first, now);
  }

  /** Whether one more question may be asked for a stranger from an origin. */
  spend(origin: string | undefined, now: number): boolean {
    // Who is connected already is not a flood of connections.
    if (origin === undefined) return this.#known.take(1, now);
    const own = this.#origins.get(origin);
    if (own !== undefined) {
      return own.wait(1, now) === 0 && this.#known.take(1, now) &&
        own.take(1, now);
    }
    if (!this.#first.take(1, now)) return false;
    this.#remember(origin, now).take(1, now);
    return true;
  }

  #remember(origin: string, now: number): TokenBucket {
    if (this.#origins.size >= MAX_ORIGINS) {
      for (const [each, bucket] of this.#origins) {
        if (bucket.isFull(now)) this.#origins.delete(each);
      }
      const [oldest] = this.#origins.keys();
      if (this.#origins.size >= MAX_ORIGINS && oldest !== undefined) {
        this.#origins.delete(oldest);
      }
    }
    const bucket = new TokenBucket(QUESTION_QUOTAS.origin, now);
    this.#origins.set(origin, bucket);
    return bucket;
  }
}
