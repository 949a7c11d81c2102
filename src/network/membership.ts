import type { Clock } from "../core/clock.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";
import { Crowds } from "./crowds.ts";
import { Meetings } from "./meetings.ts";
import { Redials } from "./redials.ts";

/** What the membership needs of the host. */
export interface MembershipHost {
  /** Peers with an open connection. */
  connected(): ReadonlySet<string>;
  /** Connects to a peer; fails when that is impossible. */
  connect(peerId: string, signal: AbortSignal): Promise<void>;
  /** Connects to an address given at start. */
  connectAddress(address: string, signal: AbortSignal): Promise<void>;
  /** Asks a member which others it knows; gives those that could be connected to. */
  discover(member: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** Options of a {@linkcode Membership}. */
export interface MembershipOptions {
  /** Our own peer id. */
  readonly peerId: string;
  /** The peers through which the mesh is entered. */
  readonly entries: readonly {
    readonly peerId: string;
    readonly address: string;
  }[];
  /** Nobody calls us: we are no member ourselves. */
  readonly client?: boolean | undefined;
  /** Most members in one /24 of IPv4 or /64 of IPv6, loopback excepted; 32 by default. */
  readonly perNetwork?: number;
  /** The time. */
  readonly clock: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/**
 * Where a node stands: `alone` as the first one, on its way in, in the mesh,
 * `isolated` when it should see others and has not for a while, or `away` when
 * it left by itself.
 */
export type MembershipState =
  | "alone"
  | "joining"
  | "joined"
  | "isolated"
  | "away";

const TICK = 100;
const FIRST_DISCOVERY = 250;
const LAST_DISCOVERY = 60_000;
const CONNECT_TIMEOUT = 5_000;
/** A connection that lasts this long was accepted, ms. */
const STEADY = 2_000;
/** How long nobody is connected until a node counts as isolated, ms. */
const ISOLATED_AFTER = 5_000;
/** A subnet has at most 256 nodes; more than this is an attack. */
const MAX_MEMBERS = 1_024;
/** Connections that are tried at once, and how many peers heard of are kept in mind. */
const MOST_DIALS = 8;
const MAX_CANDIDATES = 1_024;
/** How long one of two that hear of each other leaves the dialling to the other, ms. */
const YIELD = 1_500;

/**
 * Keeps the node in the mesh: redials its entry points and lost members for
 * ever, with growing pauses, and asks members for others it does not know yet.
 */
export class Membership {
  /** All members, with the network that each is in; connected or not. */
  readonly #members = new Map<string, string | undefined>();
  readonly #crowds: Crowds;
  /** Members without a connection. */
  readonly #absent = new Redials();
  /** Peers heard of that are no members yet. */
  readonly #candidates = new Redials();
  readonly #entry = new Redials();
  readonly #dialling = new Set<string>();
  readonly #meetings = new Meetings();
  readonly #log = loggerOf("network");
  readonly #host: MembershipHost;
  readonly #options: MembershipOptions;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  /** What dials belong to while the membership works. */
  #work: { readonly tasks: Tasks; readonly signal: AbortSignal } | undefined;
  #present: readonly string[] | undefined;
  #nextDiscovery = 0;
  #discoveryPause = FIRST_DISCOVERY;
  #discovered = false;
  #heardAt = -Infinity;
  #turn = 0;
  #enteredAt = -Infinity;
  #lastSeen: number;
  #state: MembershipState;

  /** Works with the host. */
  constructor(host: MembershipHost, options: MembershipOptions) {
    this.#host = host;
    this.#options = options;
    this.#crowds = new Crowds(options.perNetwork);
    this.#clock = options.clock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#lastSeen = this.#clock.now();
    this.#state = options.entries.length === 0 ? "alone" : "joining";
  }

  /** Where the node stands. */
  get state(): MembershipState {
    return this.#state;
  }

  /** Members with an open connection; the same array as long as they are the same. */
  present(): readonly string[] {
    if (this.#present === undefined) {
      const connected = this.#host.connected();
      this.#present = [...this.#members.keys()]
        .filter((peer) => connected.has(peer));
    }
    return this.#present;
  }

  /** Whether nobody else is to be expected: what members know is known here. */
  get isComplete(): boolean {
    return this.#members.size < MAX_MEMBERS && !this.#candidates.hasFresh &&
      !this.#meetings.areUnderWay(this.#clock.now()) &&
      (this.#discovered || this.present().length === 0);
  }

  /** Takes a peer in that speaks the subnet's protocol, from a network if that is known. */
  joined(peerId: string, network?: string): void {
    this.#present = undefined;
    this.#absent.delete(peerId);
    this.#candidates.delete(peerId);
    this.#meetings.end(peerId);
    if (this.#members.has(peerId)) return;
    if (!this.#crowds.enter(network)) {
      this.#metrics.count("meshnode_network_crowded_total");
      return;
    }
    if (this.#members.size >= MAX_MEMBERS) {
      const oldest = this.#absent.oldest();
      if (oldest === undefined) return this.#crowds.leave(network);
      this.forget(oldest);
    }
    this.#members.set(peerId, network);
    // News: others may be new, too.
    this.#discoverSoon();
  }

  /** Whether nobody was asked for others for a while. */
  get wantsPeers(): boolean {
    return !this.#discovered ||
      this.#clock.now() - this.#heardAt >= FIRST_DISCOVERY;
  }

  /** Whether a peer was heard of and not called in vain yet. */
  expects(peerId: string): boolean {
    return this.#candidates.isFresh(peerId);
  }

  /** Takes in whom a member knows. */
  heard(peers: readonly string[]): void {
    this.#discovered = true;
    this.#heardAt = this.#clock.now();
    this.expect(peers);
  }

  /** Takes in who may be there. */
  expect(peers: readonly string[]): void {
    const now = this.#clock.now();
    const connected = this.#host.connected();
    for (const peerId of peers) {
      if (peerId === this.#options.peerId || this.#members.has(peerId)) {
        continue;
      }
      if (connected.has(peerId)) {
        this.#meetings.begin(peerId, this.#clock.now());
      } else if (this.#candidates.size < MAX_CANDIDATES) {
        // Two that hear of each other at once need only one connection.
        const { peerId: own, client } = this.#options;
        const waits = !client && peerId > own ? YIELD : 0;
        this.#candidates.add(peerId, now, waits);
      }
    }
    this.#redial();
  }

  /** Notes that a peer has a connection again. */
  returned(peerId: string): void {
    this.#present = undefined;
    this.#absent.delete(peerId);
  }

  /** Notes that a peer's last connection is gone. */
  lost(peerId: string): void {
    this.#present = undefined;
    this.#meetings.end(peerId);
    if (this.#members.has(peerId)) this.#absent.add(peerId, this.#clock.now());
  }

  /** Drops a peer for good, until it joins anew. */
  forget(peerId: string): void {
    this.#present = undefined;
    this.#crowds.leave(this.#members.get(peerId));
    this.#members.delete(peerId);
    this.#absent.delete(peerId);
    this.#candidates.delete(peerId);
    this.#meetings.end(peerId);
  }

  /** Calls nobody from now on, but forgets nobody. */
  rest(): void {
    this.#state = "away";
    this.#metrics.gauge("meshnode_network_isolated", 0);
  }

  /** Calls everybody again who was there. */
  wake(): void {
    if (this.#state !== "away") return;
    const now = this.#clock.now();
    const { entries } = this.#options;
    this.#state = this.#members.size === 0 && entries.length === 0
      ? "alone"
      : "joining";
    this.#present = undefined;
    this.#lastSeen = now;
    this.#enteredAt = -Infinity;
    for (const list of [this.#absent, this.#candidates, this.#entry]) {
      list.hurry(now);
    }
    this.#discovered = false;
    this.#discoverSoon();
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const tasks = new Tasks();
    this.#work = { tasks, signal };
    while (!signal.aborted) {
      try {
        if (this.#state !== "away") {
          this.#reconcile();
          this.#tellState();
          tasks.own(this.#enter(signal));
          tasks.own(this.#discover(signal));
          this.#redial();
        }
        await this.#clock.sleep(TICK, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#log.error("Keeping the mesh together failed: {error}", { error });
        await this.#clock.sleep(TICK, signal).catch(() => {});
      }
    }
    this.#work = undefined;
    await tasks.settled();
  }

  /** What events told and what is true stay the same. */
  #reconcile(): void {
    const connected = this.#host.connected();
    const now = this.#clock.now();
    let count = 0;
    for (const peerId of this.#members.keys()) {
      if (connected.has(peerId)) {
        count++;
        this.#absent.delete(peerId);
      } else this.#absent.add(peerId, now);
    }
    if (count !== this.present().length) this.#present = undefined;
  }

  #tellState(): void {
    const now = this.#clock.now();
    const before = this.#state;
    const { entries } = this.#options;
    if (this.present().length > 0) {
      this.#lastSeen = now;
      this.#state = "joined";
    } else if (this.#members.size === 0 && entries.length === 0) {
      this.#state = "alone";
    } else if (now - this.#lastSeen >= ISOLATED_AFTER) {
      this.#state = "isolated";
    }
    this.#metrics.gauge(
      "meshnode_network_isolated",
      this.#state === "isolated" ? 1 : 0,
    );
    if (this.#state === before) return;
    if (this.#state === "isolated") {
      this.#log.warn(
        "No other node is connected: records are kept here alone. Trying to " +
          "get back for as long as it takes.",
      );
      this.#absent.hurry(now);
    } else if (before === "isolated") {
      this.#log.info("Back in the mesh.");
      // Whoever was out of reach for the same reason is back, too.
      this.#absent.hurry(now);
      this.#discoverSoon();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const connected = this.#host.connected();
    const missing = this.#options.entries.filter(({ peerId }) =>
      !connected.has(peerId)
    );
    const now = this.#clock.now();
    if (missing.length === 0) {
      if (now - this.#enteredAt >= STEADY) this.#entry.delete(ENTRY);
      return;
    }
    this.#entry.add(ENTRY, now, 0);
    if (!this.#entry.isDue(ENTRY, now) || this.#dialling.has(ENTRY)) return;
    if (now - this.#enteredAt < STEADY) {
      this.#enteredAt = -Infinity;
      const error = new Error(
        "it closed the connection after the handshake, as nodes do with " +
          "peers that have no stake",
      );
      return this.#entryFailed(error, connected.size === 0);
    }
    this.#dialling.add(ENTRY);
    try {
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
      else this.#entryFailed(failed, this.#host.connected().size === 0);
    } finally {
      this.#dialling.delete(ENTRY);
    }
  }

  #entryFailed(error: unknown, alone: boolean): void {
    const wait = this.#entry.failed(ENTRY, this.#clock.now(), true);
    if (!alone) return;
    this.#log.warn(
      "No entry point of the mesh can be reached, next try in {wait} ms: {error}",
      { wait, error },
    );
  }

  /** Tries those whose time has come, so many at once. */
  #redial(): void {
    if (this.#work === undefined || this.#state === "away") return;
    const { tasks, signal } = this.#work;
    const now = this.#clock.now();
    for (const list of [this.#absent, this.#candidates]) {
      for (const peerId of list.due(now)) {
        if (this.#dialling.size >= MOST_DIALS) return;
        if (!this.#dialling.has(peerId)) {
          tasks.own(this.#dial(peerId, list, signal));
        }
      }
    }
  }

  async #dial(
    peerId: string,
    list: Redials,
    signal: AbortSignal,
  ): Promise<void> {
    this.#dialling.add(peerId);
    try {
      const error = this.#host.connected().has(peerId)
        ? undefined
        : await this.#attempt(
          (each) => this.#host.connect(peerId, each),
          signal,
        );
      if (error === undefined) {
        list.delete(peerId);
        if (!this.#members.has(peerId)) {
          this.#meetings.begin(peerId, this.#clock.now());
        }
      } else {list.failed(
          peerId,
          this.#clock.now(),
          this.present().length === 0,
        );}
    } finally {
      this.#dialling.delete(peerId);
    }
    this.#redial();
  }

  #discoverSoon(): void {
    this.#discoveryPause = FIRST_DISCOVERY;
    this.#nextDiscovery = Math.min(
      this.#nextDiscovery,
      this.#clock.now() + FIRST_DISCOVERY,
    );
  }

  /** Asks the members in turn, one at a time. */
  async #discover(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const members = this.present();
    const member = members[this.#turn % members.length];
    if (now < this.#nextDiscovery || member === undefined) return;
    this.#turn++;
    this.#nextDiscovery = now + this.#discoveryPause;
    this.#discoveryPause = Math.min(2 * this.#discoveryPause, LAST_DISCOVERY);
    const error = await this.#attempt(async (each) => {
      this.heard(await this.#host.discover(member, each));
    }, signal);
    if (error !== undefined) {
      this.#log.debug("Asking {member} for others failed: {error}", {
        member,
        error,
      });
    }
  }

  async #attempt(
    act: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<unknown> {
    using limit = deadline(CONNECT_TIMEOUT, signal);
    try {
      await raceSignal(act(limit.signal), limit.signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return error;
    }
  }
}

/** All entry points share their pauses. */
const ENTRY = "entry";
