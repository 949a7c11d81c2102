import { raceSignal } from "../core/deadline.ts";
import { RpcError } from "./errors.ts";

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
   * Takes a place, or gives what to wait for until there is one. Whoever is in
   * must {@linkcode Slots.leave}.
   *
   * @throws {RpcError} `RPC_BUSY` when too many wait already; and the signal's
   * reason.
   */
  enter(signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (this.#taken >= this.#most) return this.#wait(signal);
    this.#taken++;
    return undefined;
  }

  /** Gives the place to whoever waits longest. */
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#taken--;
    else next();
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.#mostWaiting) {
      throw new RpcError("RPC_BUSY", "Too many calls wait for this peer.");
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.push(resolve);
    try {
      await raceSignal(promise, signal);
    } catch (error) {
      const at = this.#queue.indexOf(resolve);
      if (at >= 0) this.#queue.splice(at, 1);
      // The place was ours already: pass it on.
      else this.leave();
      throw error;
    }
  }
}
