import {
  CompositeValidator,
  Dht,
  identityFromSeed,
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
  readonly metrics: MetricsRegistry;
}

/** DHTs on a virtual network. The same seed gives the same run. */
export class ChaosMesh {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly #nodes = new Map<string, ChaosNode>();

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
    const node: ChaosNode = {
      peerId,
      ownerMarker: signature.ownerMarker,
      metrics,
      dht: new Dht({
        peerId,
        calls: this.network.join(peerId, options),
        members: () => this.network.members(peerId),
        validator: new CompositeValidator([signature]),
        clock: this.clock,
        metrics,
      }),
    };
    this.#nodes.set(peerId, node);
    return node;
  }

  /** Ends a node's process; all that it held is lost. */
  kill(peerId: string): void {
    this.network.kill(peerId);
    this.#nodes.delete(peerId);
  }

  /** Ends the processes of so many nodes at one moment. */
  killAny(count: number): void {
    for (const peerId of this.random.sample(this.peerIds, count)) {
      this.kill(peerId);
    }
  }
}
