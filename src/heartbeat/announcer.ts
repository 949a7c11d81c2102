import { type Clock, dhtTime, systemClock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { RecordStore } from "../dht/types.ts";
import type { Identity } from "../identity/mod.ts";
import type { Directory } from "./directory.ts";
import { HEARTBEAT_KEY, heartbeatSubkey } from "./heartbeat_record.ts";
import type { PingAggregator } from "./ping_aggregator.ts";
import type { OnlineTime, PresenceMemory } from "./presence.ts";
import {
  type ServerInfo,
  serverInfoValue,
  type ServerState,
} from "./server_info.ts";

/** Options of {@linkcode HeartbeatAnnouncer}. */
export interface HeartbeatOptions {
  /** Whose heartbeat it is. */
  readonly identity: Identity;
  /** Where it is stored. */
  readonly records: RecordStore;
  /** Reads the others. */
  readonly directory: Directory;
  /** Measures the others. */
  readonly pings: PingAggregator;
  /** What it tells besides state and round-trip times. */
  readonly info: Pick<
    ServerInfo,
    "role" | "throughput" | "publicName" | "version" | "usingRelay"
  >;
  /** Seconds between heartbeats; 120 by default, as the Mesh Template's CLI. */
  readonly period?: number;
  /** Key of heartbeats; `node` by default. */
  readonly key?: string;
  /** Remembers over restarts since when the node is online; nothing does by default. */
  readonly memory?: PresenceMemory;
  /** Peers pinged per heartbeat; 5 by default. */
  readonly maxPinged?: number;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

const PUBLISH_TIMEOUT = 10_000;
/** How long the farewell may take, ms. */
const FAREWELL_TIMEOUT = 1_500;
/** Pause after a heartbeat that nobody else took, ms. */
const RETRY_PAUSE = 500;

/** Seconds that a heartbeat lives: two periods, at least 3 s. */
export function heartbeatLifetime(period: number): number {
  return Math.max(2 * period, 3);
}

/** Tells the mesh about this node, again and again. */
export class HeartbeatAnnouncer {
  readonly #options: HeartbeatOptions;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #period: number;
  readonly #key: string;
  readonly #log = loggerOf("heartbeat");
  #state: ServerState = "joining";
  #onlineSince: number | undefined;
  #offlineSince: number | undefined;
  #before: OnlineTime | undefined;
  /** Until when others know us online; absent while nobody does. */
  #knownUntil: number | undefined;
  #lastExpiration = 0;
  #woken = new AbortController();
  #publishing: Promise<unknown> = Promise.resolve();

  /** Says nothing before {@linkcode HeartbeatAnnouncer.run}. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#period = options.period ?? 120;
    this.#key = options.key ?? HEARTBEAT_KEY;
    this.#recall();
  }

  /** The state told next. */
  get state(): ServerState {
    return this.#state;
  }

  /** Changes the state and tells it at once. */
  setState(state: ServerState): void {
    if (this.#state === state) return;
    this.#state = state;
    const now = dhtTime(this.#clock);
    if (state === "offline") this.#offlineSince = now;
    else if (this.#offlineSince !== undefined) {
      this.#before = this.#onlineSince === undefined
        ? undefined
        : { since: this.#onlineSince, until: this.#offlineSince, left: true };
      this.#onlineSince = this.#offlineSince = undefined;
      this.#knownUntil = undefined;
    }
    if (state === "online") this.#onlineSince ??= now;
    this.#woken.abort();
  }

  /** Announces until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let measuring: Promise<void> | undefined;
    while (!signal.aborted) {
      this.#woken = new AbortController();
      const start = this.#clock.now();
      const shared = await this.#publish(signal);
      const elapsed = this.#clock.now() - start;
      const pause = shared ? 1_000 * this.#period - elapsed : RETRY_PAUSE;
      await this.#clock.sleep(
        Math.max(0, pause),
        AbortSignal.any([signal, this.#woken.signal]),
      ).catch(() => {});
      if (signal.aborted || this.#woken.signal.aborted) continue;
      // A peer that hangs must not keep the next heartbeat waiting.
      measuring ??= this.#measure(signal).finally(() => {
        measuring = undefined;
      });
    }
    await measuring;
  }

  /** Tells that this node leaves, within a bounded time. Call it after the run was aborted. */
  async farewell(): Promise<void> {
    this.setState("offline");
    await this.told();
  }

  /** Tells the present state once more, and waits for it, a bounded time. */
  async told(): Promise<void> {
    using limit = deadline(FAREWELL_TIMEOUT);
    await this.#publishing;
    await this.#publish(limit.signal);
  }

  /** Goes on as the one that was online before, if that is not over yet. */
  #recall(): void {
    const last = this.#options.memory?.recall();
    if (last === undefined) return;
    const { since, until, left, expiration } = last;
    this.#lastExpiration = expiration;
    if (!left && dhtTime(this.#clock) < until) {
      this.#onlineSince = since;
      this.#knownUntil = until;
    } else this.#before = { since, until, left };
  }

  /** Who nobody heard of for so long was not online in the eyes of others. */
  #reconsider(now: number): void {
    const since = this.#onlineSince;
    if (since === undefined || this.#offlineSince !== undefined) return;
    if (now < (this.#knownUntil ?? 0)) return;
    if (this.#knownUntil !== undefined) {
      this.#before = { since, until: this.#knownUntil, left: false };
      this.#knownUntil = undefined;
    }
    this.#onlineSince = now;
  }

  #remember(): void {
    const since = this.#onlineSince;
    if (since === undefined) return;
    const left = this.#offlineSince !== undefined;
    const expiration = this.#lastExpiration;
    const until = this.#offlineSince ?? expiration;
    this.#options.memory?.keep({ since, until, left, expiration });
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const { directory, pings, identity, maxPinged = 5 } = this.#options;
    try {
      const others = (await directory.read({ signal }))
        .filter(({ info, peerId }) =>
          info.state !== "offline" && peerId !== identity.peerId
        );
      await pings.measure(
        others.map(({ peerId }) => peerId),
        maxPinged,
        signal,
      );
    } catch (error) {
      if (!signal.aborted) this.#failed("measure", error);
    }
  }

  /** Whether another node took it, or there is none. */
  async #publish(signal: AbortSignal): Promise<boolean> {
    const work = this.#store(signal);
    this.#publishing = work.catch(() => {});
    try {
      return await work;
    } catch (error) {
      if (!signal.aborted) this.#failed("publish", error);
      return false;
    }
  }

  async #store(parent: AbortSignal): Promise<boolean> {
    const { identity, records, info, pings } = this.#options;
    using limit = deadline(PUBLISH_TIMEOUT, parent);
    const now = dhtTime(this.#clock);
    this.#reconsider(now);
    const wanted = now + heartbeatLifetime(this.#period);
    // A later word must expire later, or nobody takes it.
    this.#lastExpiration = Math.max(wanted, this.#lastExpiration + 0.001);
    this.#remember();
    const nextPings = new Map(
      [...pings.times()].map(([peer, time]) => [peer, time / 1_000]),
    );
    const { stored, replicas } = await records.store({
      key: this.#key,
      subkey: heartbeatSubkey(identity),
      value: serverInfoValue({
        ...info,
        state: this.#state,
        nextPings,
        onlineSince: this.#onlineSince,
        offlineSince: this.#offlineSince,
        before: this.#before,
      }),
      expiration: this.#lastExpiration,
    }, { signal: limit.signal });
    this.#metrics.count("meshnode_heartbeats_total", {
      stored: String(stored),
    });
    const others = replicas.filter(({ peerId }) => peerId !== identity.peerId);
    const shared = others.length === 0 ||
      others.some(({ outcome }) => outcome === "stored");
    if (shared) this.#knownUntil = this.#lastExpiration;
    return shared;
  }

  #failed(what: string, error: unknown): void {
    this.#metrics.count("meshnode_heartbeat_failures_total", { what });
    this.#log.warn("Could not {what} the heartbeat: {error}", { what, error });
  }
}
