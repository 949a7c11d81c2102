/** A value with the DHT time (Unix seconds) after which it is gone. */
export interface Expiring<V> {
  /** The value. */
  readonly value: V;
  /** Unix seconds; finite. */
  readonly expiration: number;
}

/**
 * A map whose entries expire.
 *
 * An entry is replaced only by one that expires later, or at the same time when
 * `supersedes` says so; a refused store leaves nothing behind. Over `maxSize`, what expires soonest goes. Expirations that
 * are not finite numbers are refused, since nothing could order them.
 */
export class TimedStorage<K, V> {
  readonly #entries = new Map<K, Expiring<V>>();
  readonly #now: () => number;
  readonly #maxSize: number;
  readonly #supersedes: (next: V, present: V) => boolean;
  // A lower bound of all expirations: until then there is nothing to drop.
  #soonest = Infinity;

  /** `now` gives the DHT time in seconds; `maxSize` is the most entries kept. */
  constructor(
    now: () => number,
    maxSize = Infinity,
    supersedes: (next: V, present: V) => boolean = () => false,
  ) {
    this.#now = now;
    this.#maxSize = maxSize;
    this.#supersedes = supersedes;
  }

  /** Live entries. */
  get size(): number {
    this.#dropExpired();
    return this.#entries.size;
  }

  /** Stores the value unless it is expired or not newer than what is there. */
  store(key: K, value: V, expiration: number): boolean {
    if (!Number.isFinite(expiration) || expiration < this.#now()) return false;
    this.#dropExpired();
    const present = this.#entries.get(key);
    if (
      present !== undefined && present.expiration >= expiration &&
      !(present.expiration === expiration &&
        this.#supersedes(value, present.value))
    ) return false;
    this.#entries.set(key, { value, expiration });
    this.#soonest = Math.min(this.#soonest, expiration);
    if (this.#entries.size > this.#maxSize) {
      this.#entries.delete((this.top() as [K, Expiring<V>])[0]);
    }
    return this.#entries.has(key);
  }

  /** The live entry of a key. */
  get(key: K): Expiring<V> | undefined {
    this.#dropExpired();
    return this.#entries.get(key);
  }

  /** Removes a key; an absent one is no error. */
  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  /** The live entry that expires soonest. */
  top(): [K, Expiring<V>] | undefined {
    let top: [K, Expiring<V>] | undefined;
    for (const entry of this.entries()) {
      if (top === undefined || entry[1].expiration < top[1].expiration) {
        top = entry;
      }
    }
    return top;
  }

  /** All live entries. */
  entries(): IterableIterator<[K, Expiring<V>]> {
    this.#dropExpired();
    return this.#entries.entries();
  }

  #dropExpired(): void {
    const now = this.#now();
    if (this.#soonest >= now) return;
    this.#soonest = Infinity;
    for (const [key, { expiration }] of this.#entries) {
      if (expiration < now) this.#entries.delete(key);
      else this.#soonest = Math.min(this.#soonest, expiration);
    }
  }
}
