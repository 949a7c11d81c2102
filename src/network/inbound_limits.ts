import { type Clock, systemClock } from "../core/clock.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { type Quota, TokenBucket } from "../core/token_bucket.ts";
import type { Origin } from "./origin.ts";

/** What one origin may do before anything is known about the peers behind it. */
export interface InboundQuota {
  /** Connections that bring no peer who is let in; those that do are free. */
  readonly attempts: Quota;
  /** Handshakes under way at once. */
  readonly handshakes: number;
  /** Open connections. */
  readonly connections: number;
}

/** The quotas of connections by where they come from. */
export interface InboundQuotas {
  /** An address of another machine. */
  readonly address: InboundQuota;
  /** This machine, where whole meshes run. */
  readonly loopback: InboundQuota;
}

/** The defaults of {@linkcode InboundQuotas}. */
export const INBOUND_QUOTAS: InboundQuotas = {
  address: {
    // A handshake costs each side a few milliseconds: one address can keep a
    // node busy for a hundredth of its time. Nodes that come back after a
    // restart are let in, so that a whole site behind one address can.
    attempts: { perSecond: 2, burst: 60 },
    // Each may last the whole upgrade timeout of 5 s without doing anything.
    handshakes: 16,
    // A site with some dozens of nodes behind one address is real.
    connections: 128,
  },
  loopback: {
    attempts: { perSecond: 1_000, burst: 4_000 },
    handshakes: 512,
    connections: 1_024,
  },
};

/** Why a connection is refused before its handshake. */
export type InboundRefusal =
  | "too-many-attempts"
  | "too-many-handshakes"
  | "too-many-connections";

/** The part of a connection that the limits watch. */
export interface WatchedConnection {
  /** Calls the listener once the connection is gone. */
  addEventListener(
    type: "close",
    listener: () => void,
    options: { once: true },
  ): void;
}

interface Group {
  readonly quota: InboundQuota;
  readonly attempts: TokenBucket;
  handshakes: number;
  connections: number;
}

/** Origins remembered one by one; more share what they may do. */
const MAX_GROUPS = 4_096;
const OTHERS = "others";

/** Limits connections by where they come from, before any key is looked at. */
export class InboundLimits {
  readonly #quotas: InboundQuotas;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #groups = new Map<string, Group>();
  readonly #handshaking = new WeakMap<WatchedConnection, Group>();

  /** Limits by the quotas. */
  constructor(
    quotas: InboundQuotas = INBOUND_QUOTAS,
    clock: Clock = systemClock,
    metrics: Metrics = new MetricsRegistry(),
  ) {
    this.#quotas = quotas;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Origins remembered. */
  get size(): number {
    return this.#groups.size;
  }

  /** Takes a connection in, or says why not. */
  begin(
    connection: WatchedConnection,
    origin: Origin,
  ): InboundRefusal | undefined {
    const group = this.#groupOf(origin);
    const { quota } = group;
    if (group.connections >= quota.connections) return "too-many-connections";
    if (group.handshakes >= quota.handshakes) return "too-many-handshakes";
    if (!group.attempts.take(1, this.#clock.now())) return "too-many-attempts";
    group.connections++;
    group.handshakes++;
    this.#handshaking.set(connection, group);
    connection.addEventListener("close", () => {
      group.connections--;
      this.#shaken(connection);
    }, { once: true });
    return undefined;
  }

  /** Notes that the handshake of a connection is over, and whether its peer is let in. */
  decided(connection: WatchedConnection, admitted: boolean): void {
    const group = this.#shaken(connection);
    if (admitted) group?.attempts.give(1);
  }

  #shaken(connection: WatchedConnection): Group | undefined {
    const group = this.#handshaking.get(connection);
    if (group === undefined) return undefined;
    this.#handshaking.delete(connection);
    group.handshakes--;
    return group;
  }

  #groupOf({ group: name, loopback }: Origin): Group {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    if (this.#groups.size >= MAX_GROUPS) this.#prune();
    const full = this.#groups.size >= MAX_GROUPS && name !== OTHERS;
    if (full) return this.#groupOf({ group: OTHERS, loopback: false });
    const quota = loopback ? this.#quotas.loopback : this.#quotas.address;
    const group: Group = {
      quota,
      attempts: new TokenBucket(quota.attempts, this.#clock.now()),
      handshakes: 0,
      connections: 0,
    };
    this.#groups.set(name, group);
    this.#metrics.gauge("meshnode_network_origins", this.#groups.size);
    return group;
  }

  /** Forgets only what makes no difference: who is limited stays so. */
  #prune(): void {
    const now = this.#clock.now();
    for (const [name, group] of this.#groups) {
      if (group.connections === 0 && group.attempts.isFull(now)) {
        this.#groups.delete(name);
      }
    }
  }
}
