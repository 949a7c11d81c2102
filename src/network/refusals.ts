import type { Clock } from "../core/clock.ts";
import { loggerOf } from "../core/log.ts";
import type { Labels, Metrics } from "../core/metrics.ts";

/** Between two log lines for one reason, ms. */
const LOG_PERIOD = 60_000;

interface Reason {
  count: number;
  toldAt: number;
}

/** Counts refused connections, and logs each reason once a minute at most. */
export class Refusals {
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #log = loggerOf("network");
  readonly #reasons = new Map<string, Reason>();
  #logged = 0;

  /** Counts in the metrics. */
  constructor(metrics: Metrics, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** Lines logged so far. */
  get logged(): number {
    return this.#logged;
  }

  /** Notes one refusal. The reasons are of a closed set; `who` is an example for the log. */
  note(direction: "inbound" | "outbound", reason: string, who: string): void {
    const labels: Labels = { direction, reason };
    this.#metrics.count("meshnode_network_refused_total", labels);
    const key = `${direction} ${reason}`;
    const told = this.#reasons.get(key) ?? { count: 0, toldAt: -Infinity };
    this.#reasons.set(key, told);
    told.count++;
    const now = this.#clock.now();
    if (now - told.toldAt < LOG_PERIOD) return;
    this.#log.info(
      "Refused {count} {direction} connections, the last one of {who}: {reason}",
      { count: told.count, direction, who, reason },
    );
    this.#logged++;
    told.count = 0;
    told.toldAt = now;
  }
}
