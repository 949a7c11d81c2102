/** Pauses between attempts to connect, ms. */
export const REDIAL = {
  /** The first one; each is twice the one before. */
  first: 500,
  /** The longest for somebody who was there not long ago, or while nobody is. */
  last: 20_000,
  /** How long that is. */
  recently: 15 * 60_000,
  /** The longest for whoever was away longer. */
  rarely: 5 * 60_000,
} as const;

interface Attempt {
  readonly since: number;
  readonly failures: number;
  readonly retryAt: number;
}

/** Who is to be connected to, and when to try next. */
export class Redials {
  readonly #attempts = new Map<string, Attempt>();

  /** How many there are. */
  get size(): number {
    return this.#attempts.size;
  }

  /** Whether somebody was not called in vain a few times yet. */
  get hasFresh(): boolean {
    return this.#attempts.values().some(({ failures }) => failures < 3);
  }

  /** Takes somebody in who is not connected since `now`, ms, to be tried after a pause. */
  add(peerId: string, now: number, pause: number = REDIAL.first): void {
    if (this.#attempts.has(peerId)) return;
    this.#attempts.set(peerId, {
      since: now,
      failures: 0,
      retryAt: now + pause,
    });
  }

  /** Whether somebody is here and was not called in vain yet. */
  isFresh(peerId: string): boolean {
    return this.#attempts.get(peerId)?.failures === 0;
  }

  /** Takes somebody out. */
  delete(peerId: string): void {
    this.#attempts.delete(peerId);
  }

  /** Whether somebody's time has come. */
  isDue(peerId: string, now: number): boolean {
    return (this.#attempts.get(peerId)?.retryAt ?? Infinity) <= now;
  }

  /** Whose time has come. */
  due(now: number): string[] {
    const due: string[] = [];
    for (const [peerId, { retryAt }] of this.#attempts) {
      if (retryAt <= now) due.push(peerId);
    }
    return due;
  }

  /**
   * Notes a failure, and gives the pause until the next attempt; in a hurry it
   * is never one of the rare ones.
   */
  failed(peerId: string, now: number, hurried = false): number {
    const attempt = this.#attempts.get(peerId);
    if (attempt === undefined) return 0;
    const { since, failures } = attempt;
    const longest = hurried || now - since <= REDIAL.recently
      ? REDIAL.last
      : REDIAL.rarely;
    const pause = Math.min(REDIAL.first * 2 ** Math.min(failures, 16), longest);
    this.#attempts.set(peerId, {
      since,
      failures: failures + 1,
      retryAt: now + pause,
    });
    return pause;
  }

  /** Makes everybody due, as if nothing had failed yet. */
  hurry(now: number): void {
    for (const [peerId, { since }] of this.#attempts) {
      this.#attempts.set(peerId, { since, failures: 0, retryAt: now });
    }
  }

  /** Who has been missing longest. */
  oldest(): string | undefined {
    let oldest: string | undefined;
    let since = Infinity;
    for (const [peerId, attempt] of this.#attempts) {
      if (attempt.since < since) [oldest, since] = [peerId, attempt.since];
    }
    return oldest;
  }
}
