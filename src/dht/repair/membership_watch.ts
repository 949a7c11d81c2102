/** How long it takes until a change of the membership counts, ms. */
export const SETTLING = {
  /** A peer that came: others come with it. */
  joined: 1_000,
  /** A peer that left: most of them are back soon. */
  left: 5_000,
} as const;

/** What changed since the last time it was asked for. */
export interface Change {
  /** Who was there before, ourselves not included. */
  readonly before: readonly string[];
  /** Who is there, ourselves not included; those who left just now still are. */
  readonly after: readonly string[];
  /** Who came, or came back, and may have missed what was stored meanwhile. */
  readonly fresh: ReadonlySet<string>;
}

/** Makes few changes of the many moments at which peers come and go. */
export class MembershipWatch {
  #base = new Set<string>();
  #present: ReadonlySet<string> = new Set();
  readonly #joined = new Map<string, number>();
  readonly #left = new Map<string, number>();

  /** Notes who is there now, at a time in ms, and gives a change once it is due. */
  look(members: readonly string[], now: number): Change | undefined {
    const present = new Set(members);
    for (const peer of present) {
      if (this.#present.has(peer)) continue;
      this.#joined.set(peer, now);
      this.#left.delete(peer);
    }
    for (const peer of this.#present) {
      if (present.has(peer)) continue;
      this.#joined.delete(peer);
      if (this.#base.has(peer)) this.#left.set(peer, now);
    }
    this.#present = present;
    const isDue = (since: Map<string, number>, after: number) =>
      since.values().some((time) => now - time >= after);
    if (
      !isDue(this.#joined, SETTLING.joined) && !isDue(this.#left, SETTLING.left)
    ) return undefined;
    const before = [...this.#base];
    const fresh = new Set(this.#joined.keys());
    this.#joined.clear();
    for (const peer of fresh) this.#base.add(peer);
    for (const [peer, time] of this.#left) {
      if (now - time < SETTLING.left) continue;
      this.#left.delete(peer);
      this.#base.delete(peer);
    }
    return { before, after: [...this.#base], fresh };
  }
}
