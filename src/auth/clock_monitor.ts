import { type Clock, systemClock } from "../core/clock.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";

/** Options of {@linkcode ClockMonitor}. */
export interface ClockMonitorOptions {
  /** How far the clock may be off, seconds; 3 as the Mesh Template allows in pings. */
  readonly tolerance?: number;
  /** Peers that must have told their time before anything is concluded; 3 by default. */
  readonly leastPeers?: number;
  /** The time that is looked at; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** One peer's time, as it was told. */
export interface TimeSample {
  /** Our time when we asked, ms. */
  readonly sent: number;
  /** Our time when the answer came, ms. */
  readonly received: number;
  /** The peer's time, Unix seconds. */
  readonly time: number;
}

/** What the peers' times say of our clock. */
export interface ClockState {
  /** Seconds by which the peers are ahead of us; absent while too few are known. */
  readonly offset: number | undefined;
  /** Peers that told their time of late. */
  readonly peers: number;
  /** Whether our clock is off by more than the tolerance. */
  readonly isOff: boolean;
}

interface Offset {
  readonly seconds: number;
  readonly at: number;
}

/** How long a peer's word counts, ms. */
const LIFETIME = 600_000;
const MAX_PEERS = 512;
/** A clock that was off is right again below this part of the tolerance. */
const RIGHT_AGAIN = 0.8;

/**
 * Learns from its peers whether our own clock is right.
 *
 * Each peer has one voice, and the middle one counts: as long as more than half
 * of them are honest, the others can say what they like.
 */
export class ClockMonitor {
  readonly #tolerance: number;
  readonly #leastPeers: number;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #offsets = new Map<string, Offset>();
  readonly #log = loggerOf("auth");
  #isOff = false;

  /** Knows nothing at first, and takes the clock for right. */
  constructor(options: ClockMonitorOptions = {}) {
    this.#tolerance = options.tolerance ?? 3;
    this.#leastPeers = options.leastPeers ?? 3;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
  }

  /** What is known at present. */
  get state(): ClockState {
    const offsets = this.#live();
    return {
      offset: offsets.length < this.#leastPeers ? undefined : middle(offsets),
      peers: offsets.length,
      isOff: this.#isOff,
    };
  }

  /** Takes in a peer's time; the way there and back is taken to be even. */
  add(peerId: string, { sent, received, time }: TimeSample): void {
    const roundTrip = (received - sent) / 1_000;
    // Half of it may be an error: then nothing is learnt.
    if (!(roundTrip >= 0 && roundTrip / 2 <= this.#tolerance)) return;
    this.addOffset(peerId, time - (sent + received) / 2_000);
  }

  /** Takes in by how many seconds a peer is ahead of us. */
  addOffset(peerId: string, seconds: number): void {
    if (!Number.isFinite(seconds)) {
      this.#metrics.count("meshnode_clock_samples_refused_total");
      return;
    }
    this.#offsets.delete(peerId);
    const [oldest] = this.#offsets.keys();
    if (this.#offsets.size >= MAX_PEERS && oldest !== undefined) {
      this.#offsets.delete(oldest);
    }
    this.#offsets.set(peerId, { seconds, at: this.#clock.now() });
    this.#conclude();
  }

  #conclude(): void {
    const { offset, peers } = this.state;
    this.#metrics.gauge("meshnode_clock_peers", peers);
    if (offset === undefined) return;
    this.#metrics.gauge("meshnode_clock_offset_seconds", offset);
    const bound = this.#isOff ? RIGHT_AGAIN * this.#tolerance : this.#tolerance;
    const isOff = Math.abs(offset) > bound;
    if (isOff === this.#isOff) return;
    this.#isOff = isOff;
    this.#metrics.gauge("meshnode_clock_off", isOff ? 1 : 0);
    const fields = { seconds: Math.abs(offset).toFixed(1), peers };
    if (!isOff) {
      this.#log.info("This machine's clock agrees with its peers again.");
    } else if (offset > 0) {
      this.#log.error(
        "This machine's clock is {seconds} s behind that of {peers} peers, " +
          "which will not take its calls. Set it, best by NTP.",
        fields,
      );
    } else {
      this.#log.error(
        "This machine's clock is {seconds} s ahead of that of {peers} peers, " +
          "which will not take its calls. Set it, best by NTP.",
        fields,
      );
    }
  }

  #live(): number[] {
    const now = this.#clock.now();
    // A clock that was set makes the age of what was learnt before odd.
    return [...this.#offsets.values()]
      .filter(({ at }) => Math.abs(now - at) <= LIFETIME)
      .map(({ seconds }) => seconds);
  }
}

/** The middle one; of two, the one nearer to zero, so that half is no majority. */
function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] as number;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  if (lower <= 0 && upper >= 0) return 0;
  return Math.abs(lower) < Math.abs(upper) ? lower : upper;
}
