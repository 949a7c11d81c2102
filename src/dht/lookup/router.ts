import { toHex } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { deadline, raceSignal } from "../../core/deadline.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Neighbourhood } from "../neighbourhood.ts";
import type { GetOptions } from "../types.ts";
import type { Lookup, Trace } from "./lookup.ts";

/** How long a lookup may take, and how long its answer is used again, ms. */
const TIMEOUT = 3_000;
const AGE = 10_000;
/** Answers kept. */
const MOST = 1_024;

/** What a {@linkcode Router} works with. */
export interface RouterParts {
  /** The peers that we know. */
  readonly neighbourhood: Neighbourhood;
  /** Finds others. */
  readonly lookup: Lookup;
  /** Whether we know all there are. */
  readonly isComplete: () => boolean;
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
}

/** How a key's holders are searched for. */
export type RouteOptions = Pick<GetOptions, "enough" | "lookup"> & Trace;

/** Says who may hold a key: from the table alone when it holds the whole mesh. */
export class Router {
  readonly #parts: RouterParts;
  readonly #found = new Map<string, { peers: readonly string[]; at: number }>();

  /** Works with the given parts. */
  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /**
   * The peers nearest to a key, nearest first, ourselves included; those that
   * we know once `enough` is aborted. With `lookup` they are looked up even
   * where we know all, and anew.
   */
  nearest(
    key: Uint8Array,
    count: number,
    signal: AbortSignal,
    options: RouteOptions = {},
  ): readonly string[] | Promise<readonly string[]> {
    const { neighbourhood, isComplete } = this.#parts;
    const known = neighbourhood.nearest(key, count);
    const needsLookup = options.lookup === true || !isComplete();
    if (!needsLookup || neighbourhood.peers().length < 2) return known;
    return this.#look(key, count, known, signal, options);
  }

  async #look(
    key: Uint8Array,
    count: number,
    known: readonly string[],
    signal: AbortSignal,
    { enough, lookup: isForced, onAsk, onCall }: RouteOptions,
  ): Promise<readonly string[]> {
    const { neighbourhood, lookup, clock, metrics } = this.#parts;
    const name = `${toHex(key)} ${count}`;
    const now = clock.now();
    let found = this.#found.get(name);
    if (isForced || found === undefined || now - found.at >= AGE) {
      using limit = deadline(TIMEOUT, signal, enough);
      try {
        const peers = await raceSignal(
          lookup.nearest(key, count, limit.signal, signal, { onAsk, onCall }),
          limit.signal,
        );
        metrics.count("meshnode_dht_lookups_total", { outcome: "found" });
        found = { peers, at: now };
        this.#keep(name, found);
      } catch {
        signal.throwIfAborted();
        metrics.count("meshnode_dht_lookups_total", { outcome: "failed" });
        return known;
      }
    }
    return neighbourhood.among([...known, ...found.peers])(key, count);
  }

  #keep(name: string, found: { peers: readonly string[]; at: number }): void {
    this.#found.delete(name);
    if (this.#found.size >= MOST) {
      const [oldest] = this.#found.keys();
      if (oldest !== undefined) this.#found.delete(oldest);
    }
    this.#found.set(name, found);
  }
}
