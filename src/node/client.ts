import type { StakeRegistry } from "../auth/stake_registry.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Dht } from "../dht/dht.ts";
import { heartbeatRule } from "../heartbeat/mod.ts";
import { generateIdentity, type Identity } from "../identity/mod.ts";
import { Host } from "../network/mod.ts";
import { Rpc } from "../rpc/mod.ts";
import {
  CompositeValidator,
  PredicateValidator,
  SignatureValidator,
} from "../validation/mod.ts";
import { makeAuthority, readChain } from "./authority.ts";
import { Lifetime } from "./lifetime.ts";
import type { NodeOptions } from "./options.ts";

/** Options of {@linkcode createClient}, as those of a node. */
export type MeshClientOptions = Pick<
  NodeOptions,
  | "identity"
  | "subnetId"
  | "chain"
  | "subnet"
  | "bootstrap"
  | "signal"
  | "clock"
  | "metrics"
>;

const TICK = 50;
/** The mesh is known when nobody is missing for so long, ms. */
const STEADY = 400;

/** A user of the mesh: stores and reads records, holds none, and tells nobody of itself. */
export class MeshClient {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #options: MeshClientOptions;
  readonly #life: Lifetime;
  /** The client's key. */
  readonly identity: Identity;
  /** Records of the mesh. */
  readonly dht: Dht;

  /** See {@linkcode createClient}. */
  constructor(
    parts: {
      readonly host: Host;
      readonly rpc: Rpc;
      readonly identity: Identity;
      readonly registry: StakeRegistry | undefined;
      readonly metrics: Metrics;
    },
    options: MeshClientOptions,
    clock: Clock,
  ) {
    const { host, rpc, identity, registry, metrics } = parts;
    this.#host = host;
    this.#clock = clock;
    this.#options = options;
    this.identity = identity;
    this.dht = new Dht({
      peerId: identity.peerId,
      calls: rpc,
      streams: rpc,
      client: true,
      isComplete: () => host.isComplete,
      addresses: host.addressBook,
      members: () => host.members(),
      validator: new CompositeValidator([
        new SignatureValidator(identity),
        new PredicateValidator(heartbeatRule()),
        ...options.subnet?.validators ?? [],
      ]),
      clock,
      metrics,
    });
    this.#life = new Lifetime({
      of: "client",
      closing: [
        () => this.dht.stop(),
        () => rpc.stop(),
        () => host.stop(),
        () => options.chain?.chain.close(),
      ],
      metrics,
    });
    if (registry !== undefined) {
      this.#life.run("stake", registry.run(this.#life.signal));
    }
  }

  /** Peers of the subnet with an open connection. */
  members(): string[] {
    return [...this.#host.members()];
  }

  /**
   * Waits until the mesh is reached, and no more of its peers are found.
   *
   * @throws {MeshError} `MESH_UNREACHABLE` when nobody is reached in time.
   */
  async joined(timeout: number, signal?: AbortSignal): Promise<void> {
    using limit = deadline(timeout, signal, this.#life.signal);
    let since = this.#clock.now();
    try {
      while (this.#clock.now() - since < STEADY) {
        await this.#clock.sleep(TICK, limit.signal);
        const { length } = this.#host.members();
        if (length === 0 || !this.#host.isComplete) since = this.#clock.now();
      }
    } catch {
      signal?.throwIfAborted();
      if (this.members().length > 0) return;
      throw new MeshError(
        "MESH_UNREACHABLE",
        `No peer of subnet ${this.#options.subnetId ?? 1} could be reached in ${
          timeout / 1_000
        } s.`,
        { hint: "Look whether the bootstrap addresses are right and running." },
      );
    }
  }

  /** Ends all work and closes everything. */
  stop(): Promise<void> {
    return this.#life.stop();
  }

  /** Stops at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts a client of a mesh: it takes part in nothing and is never chosen to
 * hold records.
 *
 * @throws {MeshError} when it cannot start; nothing is left running then.
 */
export async function createClient(
  options: MeshClientOptions = {},
): Promise<MeshClient> {
  const clock = options.clock ?? systemClock;
  const metrics = options.metrics ?? new MetricsRegistry();
  const identity = options.identity ?? generateIdentity();
  const subnetId = options.subnetId ?? 1;
  options.signal?.throwIfAborted();
  const { authorizer, registry, admission } = makeAuthority(
    options,
    identity,
    subnetId,
    clock,
    metrics,
  );
  const chainBootstrap = registry === undefined
    ? []
    : await readChain(registry, { ...options, identity, subnetId });
  const host = await Host.create({
    identity,
    subnetId,
    listen: [],
    bootstrap: [...new Set([...options.bootstrap ?? [], ...chainBootstrap])],
    admission,
    client: true,
    clock,
    metrics,
  });
  const rpc = new Rpc({
    transport: await host.transport(`/meshnode/${subnetId}/rpc/1.0.0`),
    authorizer,
    metrics,
  });
  const parts = { host, rpc, identity, registry, metrics };
  const client = new MeshClient(parts, options, clock);
  try {
    await host.start();
    options.signal?.throwIfAborted();
    return client;
  } catch (error) {
    await client.stop();
    throw error;
  }
}
