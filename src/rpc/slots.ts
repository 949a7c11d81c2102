import { raceSignal } from "../core/deadline.ts";

/** Lets at most so many in at once; a bounded number waits in order. */
export class Slots {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #queue: (() => void)[] = [];
  #taken = 0;

  /** `most` inside, `mostWaiting` outside. */
  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Whether nobody is inside or waits. */
  get idle(): boolean {
    return this.#taken === 0;
  }

  /**
   * Waits for a place; `undefined` when too many wait already. Dispose what is
   * returned to leave.
   *
   * @throws the signal's reason.
   */
  async enter(signal: AbortSignal): Promise<Disposable | undefined> {
    signal.throwIfAborted();
    if (this.#taken < this.#most) this.#taken++;
    else {
      if (this.#queue.length >= this.#mostWaiting) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#queue.push(resolve);
      try {
        await raceSignal(promise, signal);
      } catch (error) {
        const at = this.#queue.indexOf(resolve);
        if (at >= 0) this.#queue.splice(at, 1);
        // The place was ours already: pass it on.
        else this.#leave();
        throw error;
      }
    }
    return { [Symbol.dispose]: () => this.#leave() };
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
