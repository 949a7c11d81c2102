/** Bounds of waiting for a peer, ms. */
export const PATIENCE = {
  /** The shortest time after which an unanswered call has failed. */
  minTimeout: 1_000,
  /** The same for a peer that was never heard of. */
  firstTimeout: 1_500,
  /** The shortest and the longest time after which another peer is asked as well. */
  minHedge: 25,
  maxHedge: 250,
  /** The same for a peer that was never heard of. */
  firstHedge: 100,
  /** The first and the longest pause between probes of a silent peer. */
  firstProbe: 1_000,
  lastProbe: 30_000,
} as const;

/** Peers remembered at most. */
const MAX_PEERS = 4_096;

interface Entry {
  /** Smoothed round-trip time and its mean deviation, ms, as TCP keeps them. */
  rtt: number | undefined;
  deviation: number;
  /** Calls in a row that brought no answer. */
  failures: number;
  probeAt: number;
  /** Calls under way. */
  open: number;
  /** When the first of them began after which no answer came, ms. */
  waitingSince: number | undefined;
}

/**
 * What is known of each peer's answers: how long to wait for it, when to ask
 * somebody else as well, and whether it is silent.
 */
export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #longest: number;

  /** No peer gets more than `longest` milliseconds. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Milliseconds for an answer. */
  timeout(peerId: string): number {
    const entry = this.#entries.get(peerId);
    const wait = entry?.rtt === undefined
      ? PATIENCE.firstTimeout
      : Math.max(PATIENCE.minTimeout, entry.rtt + 4 * entry.deviation);
    return Math.min(wait, this.#longest);
  }

  /** Milliseconds after which another peer is asked as well. */
  hedge(peerId: string): number {
    const entry = this.#entries.get(peerId);
    if (entry === undefined) return PATIENCE.firstHedge;
    if (entry.failures > 0) return PATIENCE.minHedge;
    if (entry.rtt === undefined) return PATIENCE.firstHedge;
    const wait = entry.rtt + 4 * entry.deviation;
    return Math.min(PATIENCE.maxHedge, Math.max(PATIENCE.minHedge, wait));
  }

  /** Smoothed round-trip time, ms; a guess for a peer never heard of. */
  rtt(peerId: string): number {
    return this.#entries.get(peerId)?.rtt ?? PATIENCE.minHedge;
  }

  /** Whether the last call to a peer brought no answer. */
  isSilent(peerId: string): boolean {
    return (this.#entries.get(peerId)?.failures ?? 0) > 0;
  }

  /** Whether a call to a peer is under way. */
  isAsked(peerId: string): boolean {
    return (this.#entries.get(peerId)?.open ?? 0) > 0;
  }

  /**
   * How soon an answer is to be expected, to compare peers, ms: a peer that
   * others wait for already comes after those that answer, a silent one last.
   */
  expected(peerId: string, now: number): number {
    if (this.isSilent(peerId)) return Infinity;
    const since = this.#entries.get(peerId)?.waitingSince ?? now;
    return now - since > this.hedge(peerId) ? this.#longest : this.rtt(peerId);
  }

  /** Notes that a call begins, at a time in ms; it must end, too. */
  asked(peerId: string, now: number): void {
    const entry = this.#entry(peerId);
    entry.open++;
    entry.waitingSince ??= now;
  }

  /** Notes that a call is over, whatever became of it. */
  ended(peerId: string): void {
    const entry = this.#entry(peerId);
    entry.open = Math.max(0, entry.open - 1);
    if (entry.open === 0) entry.waitingSince = undefined;
  }

  /** Notes an answer and the milliseconds it took. */
  answered(peerId: string, took: number): void {
    const entry = this.#entry(peerId);
    const time = Math.max(0, took);
    if (entry.rtt === undefined) {
      entry.rtt = time;
      entry.deviation = time / 2;
    } else {
      entry.deviation += (Math.abs(time - entry.rtt) - entry.deviation) / 4;
      entry.rtt += (time - entry.rtt) / 8;
    }
    entry.failures = 0;
    entry.waitingSince = undefined;
  }

  /** Notes that a call brought no answer, at a time in ms. */
  failed(peerId: string, now: number): void {
    const entry = this.#entry(peerId);
    const pause = PATIENCE.firstProbe * 2 ** Math.min(entry.failures, 10);
    entry.failures++;
    entry.probeAt = now + Math.min(pause, PATIENCE.lastProbe);
  }

  /** The silent ones among some peers whose time to be probed has come. */
  due(peers: Iterable<string>, now: number): string[] {
    const due: string[] = [];
    for (const peerId of peers) {
      const entry = this.#entries.get(peerId);
      if (entry !== undefined && entry.failures > 0 && entry.probeAt <= now) {
        due.push(peerId);
      }
    }
    return due;
  }

  #entry(peerId: string): Entry {
    let entry = this.#entries.get(peerId);
    if (entry === undefined) {
      // The oldest makes room; a peer that is asked again comes back.
      if (this.#entries.size >= MAX_PEERS) {
        const [oldest] = this.#entries.keys();
        if (oldest !== undefined) this.#entries.delete(oldest);
      }
      entry = {
        rtt: undefined,
        deviation: 0,
        failures: 0,
        probeAt: 0,
        open: 0,
        waitingSince: undefined,
      };
      this.#entries.set(peerId, entry);
    }
    return entry;
  }
}
