import { Buffer } from "node:buffer";
import { pathToFileURL } from "node:url";
import type { Swarm } from "../swarm.ts";

interface KeyPair {
  readonly publicKey: Buffer;
}

interface Node {
  fullyBootstrapped(): Promise<void>;
  address(): { readonly port: number };
  mutablePut(keyPair: KeyPair, value: Buffer): Promise<unknown>;
  mutableGet(key: Buffer): Promise<{ readonly value: Buffer } | null>;
  destroy(): Promise<void>;
}

interface HyperDht {
  new (options: Record<string, unknown>): Node;
  keyPair(): KeyPair;
}

/** hyperdht with the options of its own test net. */
class HyperSwarm implements Swarm {
  readonly #nodes: Node[] = [];
  readonly #keys = new Map<number, KeyPair>();
  readonly #Dht: HyperDht;

  constructor(Dht: HyperDht) {
    this.#Dht = Dht;
  }

  async grow(count: number): Promise<void> {
    while (this.#nodes.length < count) {
      const port = this.#nodes[0]?.address().port;
      const node = new this.#Dht({
        ephemeral: false,
        firewalled: false,
        host: "127.0.0.1",
        bootstrap: port === undefined ? [] : [{ host: "127.0.0.1", port }],
      });
      await node.fullyBootstrapped();
      this.#nodes.push(node);
    }
  }

  prepare(record: number): void {
    this.#keys.set(record, this.#Dht.keyPair());
  }

  async put(node: number, record: number, value: Uint8Array): Promise<void> {
    await this.#nodes[node]?.mutablePut(
      this.#keys.get(record) as KeyPair,
      Buffer.from(value),
    );
  }

  async get(node: number, record: number): Promise<Uint8Array | undefined> {
    const { publicKey } = this.#keys.get(record) as KeyPair;
    return (await this.#nodes[node]?.mutableGet(publicKey))?.value;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.destroy()));
  }
}

/** See {@linkcode Swarm}. */
export async function open(folder: string): Promise<Swarm> {
  const url = pathToFileURL(`${folder}/node_modules/hyperdht/index.js`);
  const { default: Dht } = await import(url.href) as { default: HyperDht };
  return new HyperSwarm(Dht);
}
