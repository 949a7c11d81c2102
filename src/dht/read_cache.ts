import type { Clock } from "../core/clock.ts";
import type { DhtRecord } from "../records/record.ts";

/** Options of the cache of hot keys. */
export interface CacheOptions {
  /** Most keys; 256 by default. */
  readonly keys?: number;
  /** Most bytes of records; 8 MiB by default. */
  readonly bytes?: number;
  /** The oldest answer that is given again, ms; 5000 by default. */
  readonly age?: number;
  /** Reads of a key within this age that make it hot; 3 by default. */
  readonly hotAfter?: number;
}

/** The part of its age that an answer has left when it is read anew. */
const REFRESH_AT = 0.75;

interface Entry {
  readonly records: readonly DhtRecord[];
  readonly bytes: number;
  readonly at: number;
}

/** What the cache has for a key. */
export interface Cached {
  /** What was found; to be judged like anything that is read. */
  readonly records: readonly DhtRecord[];
  /** Whether it is time to read it anew, in the background. */
  readonly isDue: boolean;
}

/**
 * What was found lately under keys that are read again and again.
 *
 * It holds records as they came, so that who reads judges them each time, and
 * what expired meanwhile is gone here as everywhere. Keys are in hexadecimal.
 */
export class ReadCache {
  readonly #clock: Clock;
  readonly #keys: number;
  readonly #most: number;
  readonly #age: number;
  readonly #hotAfter: number;
  readonly #entries = new Map<string, Entry>();
  /** Reads of keys that are not hot yet. */
  readonly #reads = new Map<string, { count: number; since: number }>();
  #bytes = 0;

  /** An empty cache. */
  constructor(clock: Clock, options: CacheOptions = {}) {
    this.#clock = clock;
    this.#keys = options.keys ?? 256;
    this.#most = options.bytes ?? 8 * 1024 * 1024;
    this.#age = options.age ?? 5_000;
    this.#hotAfter = options.hotAfter ?? 3;
  }

  /** Keys held. */
  get size(): number {
    return this.#entries.size;
  }

  /** What was found under a key not long ago; the read is counted. */
  get(key: string): Cached | undefined {
    const now = this.#clock.now();
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#count(key, now);
      return undefined;
    }
    const age = now - entry.at;
    // A clock that was set back makes nothing younger.
    if (age < 0 || age >= this.#age) {
      this.delete(key);
      return undefined;
    }
    // What was read last is dropped last.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return { records: entry.records, isDue: age >= REFRESH_AT * this.#age };
  }

  /** Takes what was found under a key, if the key is hot. */
  put(key: string, records: readonly DhtRecord[]): void {
    const isHeld = this.#entries.has(key);
    const reads = this.#reads.get(key);
    if (!isHeld && (reads === undefined || reads.count < this.#hotAfter)) {
      return;
    }
    this.delete(key);
    const bytes = records.reduce(
      (sum, { subkey, value }) => sum + subkey.length + value.length + 64,
      0,
    );
    if (records.length === 0 || bytes > this.#most / 4) return;
    this.#entries.set(key, { records, bytes, at: this.#clock.now() });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#keys && this.#bytes <= this.#most) break;
      this.delete(oldest);
    }
  }

  /** Forgets a key, which may have changed. */
  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #count(key: string, now: number): void {
    const reads = this.#reads.get(key);
    if (reads !== undefined && now - reads.since < this.#age) {
      reads.count++;
      return;
    }
    this.#reads.delete(key);
    if (this.#reads.size >= 4 * this.#keys) {
      const [oldest] = this.#reads.keys();
      if (oldest !== undefined) this.#reads.delete(oldest);
    }
    this.#reads.set(key, { count: 1, since: now });
  }
}
