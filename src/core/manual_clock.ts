import type { Clock } from "./clock.ts";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  /** Starts at `now`, in milliseconds. */
  constructor(now = 0) {
    this.#now = now;
  }

  /** Milliseconds. */
  now(): number {
    return this.#now;
  }

  /** Waits until the clock was moved far enough. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (milliseconds <= 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    const sleeper: Sleeper = {
      until: this.#now + milliseconds,
      wake: () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      },
    };
    this.#sleepers.add(sleeper);
    signal?.addEventListener("abort", abort, { once: true });
    return promise;
  }

  /** Moves the clock on, waking sleepers in the order of their times. */
  async advance(milliseconds: number): Promise<void> {
    const target = this.#now + milliseconds;
    for (;;) {
      // Woken tasks run, and may sleep anew, before time goes on.
      await new Promise((resolve) => setTimeout(resolve));
      const next = [...this.#sleepers]
        .filter(({ until }) => until <= target)
        .sort((a, b) => a.until - b.until)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.until);
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#now = target;
  }
}
