import {
  createNode,
  type Identity,
  type MeshNode,
  ownerMarker,
} from "../../../../mod.ts";
import type { Swarm } from "../swarm.ts";

/** How long a record lives, seconds. */
const LIFE = 3_600;

/** meshnode as users run it: TCP, signed calls, heartbeats. */
class MeshnodeSwarm implements Swarm {
  readonly #nodes: MeshNode[] = [];
  readonly #owners = new Map<number, Identity>();

  async grow(count: number): Promise<void> {
    const first = this.#nodes[0] ?? await createNode();
    if (this.#nodes.length === 0) this.#nodes.push(first);
    const bootstrap = first.addresses();
    const missing = count - this.#nodes.length;
    this.#nodes.push(
      ...await Promise.all(
        Array.from({ length: missing }, () => createNode({ bootstrap })),
      ),
    );
    while (this.#nodes.some((node) => node.members().length < count - 1)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  prepare(): void {}

  async put(node: number, record: number, value: Uint8Array): Promise<void> {
    const { dht, identity } = this.#at(node);
    this.#owners.set(record, identity);
    const { stored } = await dht.store({
      key: `record-${record}`,
      subkey: ownerMarker(identity.openSsh),
      value,
      expiration: Date.now() / 1000 + LIFE,
    });
    if (!stored) throw new Error("The record was stored nowhere.");
  }

  async get(node: number, record: number): Promise<Uint8Array | undefined> {
    const found = await this.#at(node).dht.get(`record-${record}`);
    if (found?.kind !== "dictionary") return undefined;
    const value = found.entries[0]?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  #at(node: number): MeshNode {
    return this.#nodes[node] as MeshNode;
  }
}

/** See {@linkcode Swarm}. */
export function open(): Promise<Swarm> {
  return Promise.resolve(new MeshnodeSwarm());
}
