/** Bounds of a {@linkcode ReplayWindow}. */
export interface ReplayBounds {
  /** Most nonces remembered of one peer in one period. */
  readonly noncesPerPeer: number;
  /** Most peers remembered. */
  readonly peers: number;
}

interface Seen {
  present: Set<string>;
  previous: Set<string>;
  since: number;
}

/**
 * Remembers the nonces of accepted requests, per peer, for one to two periods.
 *
 * A peer fills only its own window: what others sent is never forgotten for it.
 */
export class ReplayWindow {
  readonly #peers = new Map<string, Seen>();
  readonly #period: number;
  readonly #bounds: ReplayBounds;

  /** Nonces are remembered for at least `period` milliseconds. */
  constructor(period: number, bounds: ReplayBounds) {
    this.#period = period;
    this.#bounds = bounds;
  }

  /** Takes a nonce in, at a time in milliseconds, and says what it was. */
  admit(peer: string, nonce: string, now: number): "new" | "seen" | "full" {
    const seen = this.#of(peer, now);
    if (seen === undefined) return "full";
    if (seen.present.has(nonce) || seen.previous.has(nonce)) return "seen";
    if (seen.present.size >= this.#bounds.noncesPerPeer) return "full";
    seen.present.add(nonce);
    return "new";
  }

  #of(peer: string, now: number): Seen | undefined {
    let seen = this.#peers.get(peer);
    if (seen === undefined) {
      if (this.#peers.size >= this.#bounds.peers) this.#prune(now);
      if (this.#peers.size >= this.#bounds.peers) return undefined;
      seen = { present: new Set(), previous: new Set(), since: now };
      this.#peers.set(peer, seen);
    }
    const age = now - seen.since;
    if (age >= this.#period) {
      seen.previous = age < 2 * this.#period ? seen.present : new Set();
      seen.present = new Set();
      seen.since = now;
    }
    return seen;
  }

  #prune(now: number): void {
    for (const [peer, { since }] of this.#peers) {
      if (now - since >= 2 * this.#period) this.#peers.delete(peer);
    }
  }
}
