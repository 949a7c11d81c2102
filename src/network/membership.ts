import type { Clock } from "../core/clock.ts";
import { raceSignal } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";

/** What the membership needs of the host. */
export interface MembershipHost {
  /** Peers with an open connection. */
  connected(): ReadonlySet<string>;
  /** Connects to a peer; fails when that is impossible. */
  connect(peerId: string, signal: AbortSignal): Promise<void>;
  /** Connects to an address given at start. */
  connectAddress(address: string, signal: AbortSignal): Promise<void>;
  /** Looks for peers near a random place, or near our own. */
  discover(near: "self" | "random", signal: AbortSignal): Promise<void>;
}

interface Absent {
  readonly since: number;
  readonly failures: number;
  readonly retryAt: number;
}

const TICK = 250;
const FIRST_RETRY = 500;
const LAST_RETRY = 30_000;
/** How long an absent member is called again before it is forgotten, ms. */
const FORGET_AFTER = 10 * 60_000;
const FIRST_DISCOVERY = 250;
const LAST_DISCOVERY = 60_000;
const CONNECT_TIMEOUT = 5_000;
/** A connection that lasts this long was accepted, ms. */
const STEADY = 2_000;
/** A subnet has at most 256 nodes; more than this is an attack. */
const MAX_MEMBERS = 1024;

/**
 * Keeps the node in the mesh: redials its entry points and lost members with
 * growing pauses, and looks for peers it does not know yet.
 */
export class Membership {
  readonly #members = new Set<string>();
  readonly #absent = new Map<string, Absent>();
  readonly #log = loggerOf("network");
  readonly #host: MembershipHost;
  readonly #entries: readonly {
    readonly peerId: string;
    readonly address: string;
  }[];
  readonly #clock: Clock;
  #nextDiscovery = 0;
  #discoveryPause = FIRST_DISCOVERY;
  #round = 0;
  #entryFailures = 0;
  #entryRetryAt = 0;
  #enteredAt = -Infinity;

  /** `entries` are the peers through which the mesh is entered. */
  constructor(
    host: MembershipHost,
    entries: readonly { readonly peerId: string; readonly address: string }[],
    clock: Clock,
  ) {
    this.#host = host;
    this.#entries = entries;
    this.#clock = clock;
  }

  /** Members with an open connection. */
  present(): string[] {
    const connected = this.#host.connected();
    return [...this.#members].filter((peer) => connected.has(peer));
  }

  /** Takes a peer in that speaks the subnet's protocol. */
  joined(peerId: string): void {
    this.#absent.delete(peerId);
    if (this.#members.has(peerId) || this.#members.size >= MAX_MEMBERS) return;
    this.#members.add(peerId);
    // News: others may be new, too.
    this.#discoveryPause = FIRST_DISCOVERY;
    this.#nextDiscovery = Math.min(
      this.#nextDiscovery,
      this.#clock.now() + FIRST_DISCOVERY,
    );
  }

  /** Notes that a peer's last connection is gone. */
  lost(peerId: string): void {
    if (!this.#members.has(peerId) || this.#absent.has(peerId)) return;
    const now = this.#clock.now();
    this.#absent.set(peerId, {
      since: now,
      failures: 0,
      retryAt: now + FIRST_RETRY,
    });
  }

  /** Drops a peer for good, until it joins anew. */
  forget(peerId: string): void {
    this.#members.delete(peerId);
    this.#absent.delete(peerId);
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await Promise.all([
          this.#enter(signal),
          this.#redial(signal),
          this.#discover(signal),
        ]);
        await this.#clock.sleep(TICK, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error("Keeping the mesh together failed: {error}", { error });
        await this.#clock.sleep(TICK, signal).catch(() => {});
      }
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const connected = this.#host.connected();
    const missing = this.#entries.filter(({ peerId }) =>
      !connected.has(peerId)
    );
    const now = this.#clock.now();
    if (missing.length === 0 && now - this.#enteredAt >= STEADY) {
      this.#entryFailures = 0;
    }
    if (missing.length === 0 || now < this.#entryRetryAt) return;
    if (now - this.#enteredAt < STEADY) {
      this.#enteredAt = -Infinity;
      const error = new Error(
        "it closed the connection after the handshake, as nodes do with " +
          "peers that have no stake",
      );
      return this.#entryFailed(error, connected.size === 0);
    }
    const results = await Promise.all(
      missing.map(({ address }) =>
        this.#attempt(
          (each) => this.#host.connectAddress(address, each),
          signal,
        )
      ),
    );
    const failed = results.find((error) => error !== undefined);
    if (failed === undefined) this.#enteredAt = this.#clock.now();
    else this.#entryFailed(failed, connected.size === 0);
  }

  #entryFailed(error: unknown, alone: boolean): void {
    this.#entryFailures++;
    const wait = pause(this.#entryFailures);
    this.#entryRetryAt = this.#clock.now() + wait;
    if (!alone) return;
    this.#log.warn(
      "No entry point of the mesh can be reached, next try in {wait} ms: {error}",
      { wait, error },
    );
  }

  async #redial(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const connected = this.#host.connected();
    const due = [...this.#absent].filter(([, { retryAt }]) => retryAt <= now);
    await Promise.all(due.map(async ([peerId, absent]) => {
      if (connected.has(peerId)) {
        this.#absent.delete(peerId);
        return;
      }
      if (now - absent.since > FORGET_AFTER) {
        this.forget(peerId);
        return;
      }
      const error = await this.#attempt(
        (each) => this.#host.connect(peerId, each),
        signal,
      );
      if (!this.#absent.has(peerId)) return;
      if (error === undefined) {
        this.#absent.delete(peerId);
        return;
      }
      const failures = absent.failures + 1;
      this.#absent.set(peerId, {
        since: absent.since,
        failures,
        retryAt: this.#clock.now() + pause(failures),
      });
    }));
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#nextDiscovery || this.#host.connected().size === 0) return;
    this.#nextDiscovery = now + this.#discoveryPause;
    this.#discoveryPause = Math.min(2 * this.#discoveryPause, LAST_DISCOVERY);
    const near = this.#round++ % 3 === 2 ? "random" : "self";
    const error = await this.#attempt(
      (each) => this.#host.discover(near, each),
      signal,
    );
    if (error !== undefined && !signal.aborted) {
      this.#log.debug("Looking for peers failed: {error}", { error });
    }
  }

  async #attempt(
    act: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<unknown> {
    const limited = AbortSignal.any([
      signal,
      AbortSignal.timeout(CONNECT_TIMEOUT),
    ]);
    try {
      await raceSignal(act(limited), limited);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return error;
    }
  }
}

function pause(failures: number): number {
  return Math.min(FIRST_RETRY * 2 ** (failures - 1), LAST_RETRY);
}
