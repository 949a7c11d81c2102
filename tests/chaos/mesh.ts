import {
  CompositeValidator,
  Dht,
  identityFromSeed,
  LocalStorage,
  MetricsRegistry,
  SignatureValidator,
} from "../../mod.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { VirtualNetwork } from "../fixtures/virtual/virtual_network.ts";

/** A node of a {@linkcode ChaosMesh}. */
export interface ChaosNode {
  readonly peerId: string;
  /** What makes a subkey the node's own. */
  readonly ownerMarker: Uint8Array;
  readonly dht: Dht;
  /** What it holds. */
  readonly storage: LocalStorage;
  readonly metrics: MetricsRegistry;
  /** Ends what it does in the background. */
  readonly stopping: AbortController;
  readonly running: Promise<void>;
}

/** DHTs on a virtual network. The same seed gives the same run. */
export class ChaosMesh {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly #nodes = new Map<string, ChaosNode>();
  readonly #dead: ChaosNode[] = [];

  /** Starts with so many nodes that know each other. */
  constructor(count: number, seed: number) {
    this.random = new SeededRandom(seed);
    this.network = new VirtualNetwork(this);
    for (let i = 0; i < count; i++) this.add();
  }

  /** The nodes that live, in the order in which they came. */
  get nodes(): readonly ChaosNode[] {
    return [...this.#nodes.values()];
  }

  /** The peer ids of the nodes that live. */
  get peerIds(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** A node that lives. */
  any(): ChaosNode {
    return this.random.pick(this.nodes);
  }

  /** Adds a node with a key of its own, known to the others at once or gradually. */
  add(options: { readonly gradually?: boolean } = {}): ChaosNode {
    const identity = identityFromSeed(this.random.bytes(32));
    const { peerId } = identity;
    const metrics = new MetricsRegistry();
    const signature = new SignatureValidator(identity);
    const stopping = new AbortController();
    const storage = new LocalStorage(() => this.clock.now() / 1_000);
    const dht = new Dht({
      peerId,
      calls: this.network.join(peerId, options),
      members: () => this.network.members(peerId),
      validator: new CompositeValidator([signature]),
      storage,
      clock: this.clock,
      metrics,
    });
    const node: ChaosNode = {
      peerId,
      ownerMarker: signature.ownerMarker,
      metrics,
      dht,
      storage,
      stopping,
      running: dht.run(stopping.signal),
    };
    this.#nodes.set(peerId, node);
    return node;
  }

  /** Ends a node's process; all that it held is lost. */
  kill(peerId: string): void {
    const node = this.#nodes.get(peerId);
    if (node === undefined) return;
    this.network.kill(peerId);
    node.stopping.abort();
    this.#nodes.delete(peerId);
    this.#dead.push(node);
  }

  /** Ends the processes of so many nodes at one moment. */
  killAny(count: number): void {
    for (const peerId of this.random.sample(this.peerIds, count)) {
      this.kill(peerId);
    }
  }

  /** Ends all nodes. */
  async stop(): Promise<void> {
    const all = [...this.nodes, ...this.#dead];
    all.forEach(({ stopping }) => stopping.abort());
    await this.clock.run(Promise.all(
      all.flatMap(({ dht, running }) => [running, dht.stop()]),
    ));
  }

  /** Ends all nodes at the end of a block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
