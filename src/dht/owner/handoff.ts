import { raceSignal } from "../../core/deadline.ts";

/** Hands items over from many givers to one taker; nobody gives before the last item was taken. */
export class Handoff<T> {
  readonly #givers: { readonly item: T; readonly taken: () => void }[] = [];
  #given = Promise.withResolvers<void>();

  /** Waits until the item is taken. @throws the signal's reason. */
  async give(item: T, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const giver = { item, taken: resolve };
    this.#givers.push(giver);
    this.#given.resolve();
    try {
      await raceSignal(promise, signal);
    } finally {
      const at = this.#givers.indexOf(giver);
      if (at >= 0) this.#givers.splice(at, 1);
    }
  }

  /** The next item. @throws the signal's reason. */
  async take(signal: AbortSignal): Promise<T> {
    for (;;) {
      const giver = this.#givers.shift();
      if (giver !== undefined) {
        giver.taken();
        return giver.item;
      }
      this.#given = Promise.withResolvers();
      await raceSignal(this.#given.promise, signal);
    }
  }
}
