/** How much may pass: a steady rate, and what may come at once. */
export interface Quota {
  /** Tokens that come back in a second. */
  readonly perSecond: number;
  /** Most tokens at hand: what may come at once after a pause. */
  readonly burst: number;
}

/** Lets through what a {@linkcode Quota} allows. Times are in milliseconds. */
export class TokenBucket {
  readonly #quota: Quota;
  #tokens: number;
  #at: number;

  /** Starts full. */
  constructor(quota: Quota, now: number) {
    this.#quota = quota;
    this.#tokens = quota.burst;
    this.#at = now;
  }

  /** Takes tokens if there are enough; takes none otherwise. */
  take(cost: number, now: number): boolean {
    this.#fill(now);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Gives tokens back that were taken and not used. */
  give(cost: number): void {
    this.#tokens = Math.min(this.#quota.burst, this.#tokens + cost);
  }

  /** Milliseconds until so many tokens are at hand; infinite when they never are. */
  wait(cost: number, now: number): number {
    this.#fill(now);
    if (cost <= this.#tokens) return 0;
    return cost > this.#quota.burst
      ? Infinity
      : Math.ceil(1_000 * (cost - this.#tokens) / this.#quota.perSecond);
  }

  /** Whether it is full, so that forgetting it changes nothing. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#quota.burst;
  }

  #fill(now: number): void {
    // A clock that is set back brings nothing, and takes nothing.
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(
      this.#quota.burst,
      this.#tokens + elapsed * this.#quota.perSecond / 1_000,
    );
  }
}
