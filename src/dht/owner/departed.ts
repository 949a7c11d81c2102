/** How long a peer that left is still counted, ms; and most of them. */
export const DEPARTED = { memory: 5 * 60_000, most: 1_024 } as const;

/**
 * Peers that left lately. Whoever is cut off from the others must not take the
 * few that it still sees for all there are.
 */
export class Departed {
  /** When each left, longest ago first. */
  readonly #left = new Map<string, number>();
  #present: ReadonlySet<string> = new Set();

  /** Notes who is there, at a time in ms. */
  note(peers: readonly string[], now: number): void {
    const present = new Set(peers);
    for (const peer of present) this.#left.delete(peer);
    for (const peer of this.#present) {
      if (!present.has(peer)) this.#left.set(peer, now);
    }
    this.#present = present;
    for (const [peer, time] of this.#left) {
      const isOver = now - time >= DEPARTED.memory;
      if (!isOver && this.#left.size <= DEPARTED.most) break;
      this.#left.delete(peer);
    }
  }

  /** Those who left. */
  peers(): Iterable<string> {
    return this.#left.keys();
  }
}
