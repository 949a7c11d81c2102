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
  used: number;
}

/**
 * Remembers the nonces of accepted requests, per peer, for one to two periods.
 *
 * A peer fills only its own window. When there are too many peers, the one that
 * has been quiet for longest is forgotten: a request is bound to its sender's
 * connection, so that nobody else can repeat it, and its sender gains nothing
 * that a fresh request would not bring.
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
    if (seen.present.has(nonce) || seen.previous.has(nonce)) return "seen";
    if (seen.present.size >= this.#bounds.noncesPerPeer) return "full";
    seen.present.add(nonce);
    return "new";
  }

  /** Peers remembered. */
  get size(): number {
    return this.#peers.size;
  }

  #of(peer: string, now: number): Seen {
    let seen = this.#peers.get(peer);
    if (seen === undefined) {
      if (this.#peers.size >= this.#bounds.peers) this.#makeRoom(now);
      seen = { present: new Set(), previous: new Set(), since: now, used: now };
      this.#peers.set(peer, seen);
    }
    seen.used = now;
    const age = now - seen.since;
    if (age >= this.#period) {
      seen.previous = age < 2 * this.#period ? seen.present : new Set();
      seen.present = new Set();
      seen.since = now;
    }
    return seen;
  }

  #makeRoom(now: number): void {
    let quietest: string | undefined;
    let since = Infinity;
    for (const [peer, seen] of this.#peers) {
      if (now - seen.used >= 2 * this.#period) this.#peers.delete(peer);
      else if (seen.used < since) [quietest, since] = [peer, seen.used];
    }
    if (this.#peers.size >= this.#bounds.peers && quietest !== undefined) {
      this.#peers.delete(quietest);
    }
  }
}
