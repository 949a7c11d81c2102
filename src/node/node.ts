import { join } from "node:path";
import type { CallLimiter } from "../auth/call_limiter.ts";
import { ClockMonitor } from "../auth/clock_monitor.ts";
import type { StakeRegistry } from "../auth/stake_registry.ts";
import type { ChainEpochClock } from "../chain/epoch_clock.ts";
import type { Consensus } from "../consensus/driver.ts";
import type { ConsensusReport } from "../consensus/report.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Dht } from "../dht/dht.ts";
import {
  Directory,
  type HeartbeatAnnouncer,
  PingAggregator,
} from "../heartbeat/mod.ts";
import { generateIdentity, type Identity } from "../identity/mod.ts";
import { Host } from "../network/mod.ts";
import type { LocalStorage } from "../records/local_storage.ts";
import { Rpc } from "../rpc/mod.ts";
import { Acquaintances } from "./acquaintances.ts";
import { Absence } from "./absence.ts";
import { unstaked } from "./admission.ts";
import { makeAuthority, readChain } from "./authority.ts";
import { watchClock } from "./clock_watch.ts";
import { consensusOf } from "./consensus.ts";
import { Entry } from "./entry.ts";
import { heartbeatOf } from "./heartbeat.ts";
import { Lifetime } from "./lifetime.ts";
import type { NodeOptions, NodeStatus } from "./options.ts";
import { makeRecordRules } from "./record_rules.ts";
import { openEpochs, SteadyEpochs } from "./steady_epochs.ts";
import { openStorage } from "./storage.ts";
import { unreadiness } from "./readiness.ts";

/** A started node. */
export class MeshNode {
  readonly #host: Host;
  readonly #registry: StakeRegistry | undefined;
  readonly #clockMonitor: ClockMonitor;
  readonly #heartbeat: HeartbeatAnnouncer;
  readonly #pings: PingAggregator;
  readonly #consensus: Consensus | undefined;
  readonly #absence: Absence;
  readonly #options: NodeOptions;
  readonly #entry: Entry;
  readonly #life: Lifetime;
  /** The node's key. */
  readonly identity: Identity;
  /** Records of the mesh. */
  readonly dht: Dht;
  /** Calls between nodes: where a subnet's own protocols are served. */
  readonly rpc: Rpc;
  /** Who is alive. */
  readonly directory: Directory;

  private constructor(
    parts: {
      readonly host: Host;
      readonly rpc: Rpc;
      readonly identity: Identity;
      readonly registry: StakeRegistry | undefined;
      readonly epochs: ChainEpochClock | undefined;
      readonly limiter: CallLimiter | undefined;
      readonly storage: LocalStorage;
      readonly acquaintances: Acquaintances | undefined;
    },
    options: NodeOptions,
    clock: Clock,
    metrics: Metrics,
  ) {
    const { host, rpc, identity, registry, limiter, storage } = parts;
    const folder = options.dataFolder;
    const epochs = parts.epochs && new SteadyEpochs(parts.epochs);
    this.#host = host;
    this.#registry = registry;
    this.#options = options;
    this.#clockMonitor = new ClockMonitor({
      ...options.clockCheck,
      ...{ clock, metrics },
    });
    this.identity = identity;
    this.rpc = rpc;
    this.dht = new Dht({
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      isComplete: () => host.isComplete,
      addresses: host.addressBook,
      peerId: identity.peerId,
      calls: rpc,
      streams: rpc,
      members: () => host.members(),
      validator: makeRecordRules(options, {
        ...{ identity, registry, epochs, storage, clock, metrics },
        records: () => this.dht,
      }),
      storage,
      clock,
      metrics,
    });
    this.directory = new Directory(this.dht, metrics);
    this.#pings = new PingAggregator({
      ping: (peerId, signal) => this.dht.ping(peerId, { signal }),
      clock,
    });
    this.#heartbeat = heartbeatOf(options, {
      ...{ identity, epochs, clock, metrics },
      records: this.dht,
      directory: this.directory,
      pings: this.#pings,
    });
    this.#entry = new Entry({
      ...{ host, clock },
      peerId: identity.peerId,
      bootstrap: options.bootstrap ?? [],
    });
    this.#consensus = consensusOf(options, {
      ...{ identity, folder, clock, metrics },
      records: this.dht,
      directory: this.directory,
      joined: () => this.#heartbeat.state === "online" && this.#entry.isMade,
      onReport: (report) => this.#onConsensus(report),
    });
    const life = new Lifetime({
      of: "node",
      closing: [
        () => this.#heartbeat.farewell(),
        () => this.dht.stop(),
        () => rpc.stop(),
        () => host.stop(),
        () => storage.close(),
        () => options.chain?.chain.close(),
      ],
      metrics,
    });
    this.#life = life;
    this.#absence = new Absence({
      host,
      heartbeat: this.#heartbeat,
      onEnter: () => life.own("join", this.#join()),
    });
    const drop = (peerId: string) => life.own("drop", host.drop(peerId));
    limiter?.onBanned(drop);
    const { signal } = life;
    if (registry !== undefined) {
      registry.onRemoved(drop);
      registry.onRefreshed(() =>
        unstaked(registry, host.connected()).forEach(drop)
      );
      life.run("stake", registry.run(signal));
    }
    if (parts.epochs !== undefined) {
      life.run("epochs", parts.epochs.run(signal));
    }
    life.run("records", this.dht.run(signal));
    const monitor = this.#clockMonitor;
    const members = () => host.members();
    life.run("clock", watchClock({ rpc, members, monitor, clock }, signal));
    life.run("heartbeat", this.#heartbeat.run(signal));
    life.own("join", this.#join());
    if (parts.acquaintances !== undefined) {
      life.run("acquaintances", parts.acquaintances.run(host, clock, signal));
    }
    if (this.#consensus !== undefined) {
      life.run("consensus", this.#consensus.run(signal));
    }
  }

  /** See {@linkcode createNode}. */
  static async start(options: NodeOptions): Promise<MeshNode> {
    const clock = options.clock ?? systemClock;
    const metrics = options.metrics ?? new MetricsRegistry();
    const identity = options.identity ?? generateIdentity();
    const subnetId = options.subnetId ?? 1;
    const { signal } = options;
    signal?.throwIfAborted();
    const authority = makeAuthority(
      options,
      identity,
      subnetId,
      clock,
      metrics,
    );
    const { authorizer, registry, limiter, admission } = authority;
    const bootstrap = [
      ...options.bootstrap ?? [],
      ...registry === undefined ? [] : await readChain(registry, {
        ...options,
        identity,
        subnetId,
      }),
    ];
    const epochs = await openEpochs(options, subnetId, clock, metrics);
    const folder = options.dataFolder;
    const acquaintances = folder === undefined
      ? undefined
      : new Acquaintances(join(folder, "peers.json"));
    const host = await Host.create({
      identity,
      subnetId,
      listen: options.listen ?? ["/ip4/127.0.0.1/tcp/0"],
      announce: options.announce ?? [],
      bootstrap: [...new Set(bootstrap)],
      acquaintances: acquaintances?.recall() ?? [],
      admission,
      ...(options.limits?.connections === undefined
        ? {}
        : { quotas: options.limits.connections }),
      ...(options.limits?.perNetwork === undefined
        ? {}
        : { perNetwork: options.limits.perNetwork }),
      clock,
      metrics,
    });
    const rpc = new Rpc({
      transport: await host.transport(`/meshnode/${subnetId}/rpc/1.0.0`),
      authorizer,
      limiter,
      metrics,
    });
    let storage: LocalStorage | undefined;
    try {
      signal?.throwIfAborted();
      storage = await openStorage(options, clock, metrics, registry);
      const parts = {
        ...{ host, rpc, identity, registry, epochs, limiter, storage },
        acquaintances,
      };
      // The methods are registered before anyone can call them.
      const node = new MeshNode(
        parts,
        { ...options, bootstrap },
        clock,
        metrics,
      );
      try {
        await host.start();
        signal?.throwIfAborted();
        return node;
      } catch (error) {
        await node.stop();
        throw error;
      }
    } catch (error) {
      await Promise.all([rpc.stop(), host.stop(), storage?.close()]);
      throw error;
    }
  }

  /** Base58. */
  get peerId(): string {
    return this.identity.peerId;
  }

  /** Multiaddrs for others, each with `/p2p/…`. */
  addresses(): string[] {
    return this.#host.addresses();
  }

  /** Peers of the subnet with an open connection. */
  members(): string[] {
    return [...this.#host.members()];
  }

  /** What the node is doing. */
  status(): NodeStatus {
    const { state } = this.#heartbeat;
    const clock = this.#clockMonitor.state;
    const registry = this.#registry;
    const unready = unreadiness({
      ...{ state, registry, clock },
      network: this.#host.state,
      peerId: this.peerId,
      failed: this.#life.failed,
    });
    return {
      peerId: this.peerId,
      state,
      ready: unready.length === 0,
      unready,
      clock,
      stake: registry?.health,
      network: this.#host.state,
      connections: this.#host.connected().size,
      records: this.dht.records,
      rtt: this.#pings.times(),
      consensus: this.#consensus?.state.vote.name,
    };
  }

  /** Says that the node leaves, ends all work and closes everything, in a few seconds. */
  stop(): Promise<void> {
    return this.#life.stop();
  }

  /** Stops at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Online once the node is in the mesh. */
  async #join(): Promise<void> {
    const isWanted = () => !this.#absence.isAway;
    if (!await this.#entry.made(isWanted, this.#life.signal)) return;
    this.#heartbeat.setState("online");
    this.#consensus?.poke();
  }

  #onConsensus(report: ConsensusReport): void {
    if (report.kind === "life" && this.#options.whileInactive === "leave") {
      const away = report.subnet !== "active" || report.nodeClass === undefined;
      this.#life.own("absence", this.#absence.set(away));
    }
    this.#options.onConsensus?.(report);
  }
}

/**
 * Starts a node: a peer that holds records, answers calls, announces itself and,
 * with a chain and a signer, takes part in consensus.
 *
 * @throws {MeshError} when it cannot start; nothing is left running then.
 */
export function createNode(options: NodeOptions = {}): Promise<MeshNode> {
  return MeshNode.start(options);
}
