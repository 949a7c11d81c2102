import type { Clock } from "./clock.ts";

/** How long is worked in bulk without a pause, ms. */
const TURN = 2;

/**
 * Lets everything else that is due happen after each few milliseconds of work
 * in bulk, which must not keep whoever asks for little waiting. All that is done
 * at one pace shares these milliseconds, however many have work.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #rest: number;
  #began = -Infinity;
  #passing: Promise<void> | undefined;

  /**
   * Passes by the clock, each time for `rest` milliseconds; without a pause
   * where work takes no time.
   */
  constructor(clock: Clock, rest = 0) {
    this.#clock = clock;
    this.#rest = rest;
  }

  /** Does something with each of many things, in their order. */
  async each<T, R>(
    things: readonly T[],
    act: (thing: T) => Promise<R>,
  ): Promise<R[]> {
    const results: Promise<R>[] = [];
    for (const thing of things) {
      // Others may have used the turn up when ours comes.
      while (this.#isOver && results.length > 0) await this.#pass();
      const result = act(thing);
      // Whoever fails meanwhile is heard at the end.
      result.catch(() => {});
      results.push(result);
    }
    return await Promise.all(results);
  }

  get #isOver(): boolean {
    return this.#clock.pass !== undefined &&
      performance.now() - this.#began >= TURN;
  }

  async #pass(): Promise<void> {
    const pause = () =>
      this.#rest > 0 ? this.#clock.sleep(this.#rest) : this.#clock.pass?.();
    this.#passing ??= Promise.resolve(pause()).then(() => {
      this.#began = performance.now();
      this.#passing = undefined;
    });
    await this.#passing;
  }
}
