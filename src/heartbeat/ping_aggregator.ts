import { type Clock, systemClock } from "../core/clock.ts";
import { deadline, raceSignal } from "../core/deadline.ts";

/** Measures the round-trip time to a peer, in milliseconds; fails when it does not answer. */
export type Ping = (peerId: string, signal: AbortSignal) => Promise<number>;

/** Options of {@linkcode PingAggregator}. */
export interface PingAggregatorOptions {
  /** Measures once. */
  readonly ping: Ping;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Numbers in [0, 1) for choosing whom to ping. */
  readonly random?: () => number;
}

/** As the Mesh Template has them: weight of a new time, lifetime, timeout. */
const ALPHA = 0.2;
const LIFETIME = 300_000;
const TIMEOUT = 5_000;
const MAX_PEERS = 1_024;

interface Entry {
  /** Milliseconds; infinite when the peer did not answer. */
  readonly time: number;
  readonly until: number;
}

/** Moving averages of round-trip times. Who does not answer is never fast. */
export class PingAggregator {
  readonly #ping: Ping;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #times = new Map<string, Entry>();

  /** Starts without any time. */
  constructor(options: PingAggregatorOptions) {
    this.#ping = options.ping;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** Pings some of the peers, chosen by chance, all at once. */
  async measure(
    peers: readonly string[],
    most: number,
    signal: AbortSignal,
  ): Promise<void> {
    const chosen = peers.map((peer) => ({ peer, at: this.#random() }))
      .sort((a, b) => a.at - b.at).slice(0, most);
    await Promise.all(chosen.map(async ({ peer }) => {
      using limit = deadline(TIMEOUT, signal);
      const time = await raceSignal(
        this.#ping(peer, limit.signal),
        limit.signal,
      ).catch(() => Infinity);
      if (!signal.aborted) this.add(peer, time);
    }));
  }

  /** Takes in a measured time, milliseconds. */
  add(peerId: string, time: number): void {
    const old = this.#live(peerId)?.time ?? Infinity;
    const next = Number.isFinite(old) && Number.isFinite(time)
      ? ALPHA * time + (1 - ALPHA) * old
      : time;
    this.#times.delete(peerId);
    if (this.#times.size >= MAX_PEERS) {
      const [oldest] = this.#times.keys();
      if (oldest !== undefined) this.#times.delete(oldest);
    }
    this.#times.set(peerId, {
      time: next,
      until: this.#clock.now() + LIFETIME,
    });
  }

  /** Milliseconds by peer id; only peers that answered of late. */
  times(): Map<string, number> {
    return new Map(
      [...this.#times.keys()].flatMap((peer) => {
        const time = this.#live(peer)?.time ?? Infinity;
        return Number.isFinite(time) ? [[peer, time] as const] : [];
      }),
    );
  }

  #live(peerId: string): Entry | undefined {
    const entry = this.#times.get(peerId);
    return entry !== undefined && entry.until >= this.#clock.now()
      ? entry
      : undefined;
  }
}
