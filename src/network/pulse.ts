import type { Connection } from "@libp2p/interface";
import type { Clock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import type { Metrics } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";

const TICK = 1_000;

/** How a silent connection is found, ms. */
export const PULSE = {
  /** How often each connection is tried. */
  interval: 10_000,
  /** How long its peer may take to answer. */
  patience: 8_000,
} as const;

// What a connection of the library offers beyond its declared interface.
interface Pinged {
  readonly muxer?: {
    ping?(options: { readonly signal: AbortSignal }): Promise<number>;
  };
}

/**
 * Ends connections whose peer is silent.
 *
 * Uses Yamux's own ping, a frame of twelve bytes; libp2p's connection monitor
 * opens a stream for each.
 */
export class Pulse {
  readonly #connections: () => readonly Connection[];
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #triedAt = new WeakMap<Connection, number>();

  /** Watches the connections that there are. */
  constructor(
    connections: () => readonly Connection[],
    clock: Clock,
    metrics: Metrics,
  ) {
    this.#connections = connections;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const tasks = new Tasks();
    while (!signal.aborted) {
      const now = this.#clock.now();
      for (const connection of this.#connections()) {
        if (connection.status !== "open") continue;
        const triedAt = this.#triedAt.get(connection);
        // The first try is when it is a while old, so that they are spread.
        if (triedAt !== undefined && now - triedAt < PULSE.interval) continue;
        this.#triedAt.set(connection, now);
        if (triedAt === undefined) continue;
        tasks.own(this.#try(connection, signal));
      }
      await this.#clock.sleep(TICK, signal).catch(() => {});
    }
    await tasks.settled();
  }

  async #try(connection: Connection, signal: AbortSignal): Promise<void> {
    using limit = deadline(PULSE.patience, signal);
    try {
      await (connection as Pinged).muxer?.ping?.({ signal: limit.signal });
    } catch (error) {
      if (signal.aborted || connection.status !== "open") return;
      this.#metrics.count("meshnode_network_cut_off_total", {
        reason: "silent",
      });
      connection.abort(error as Error);
    }
  }
}
