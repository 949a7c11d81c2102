import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Swarm } from "../swarm.ts";
import { isSigned, SigningKey } from "./signed.ts";

type Done<T> = (error: Error | null, result: T) => void;

interface Client {
  listen(port: number, host: string, done: () => void): void;
  once(event: "ready", done: () => void): void;
  address(): { readonly port: number };
  put(
    options: {
      readonly k: Buffer;
      readonly seq: number;
      readonly v: Buffer;
      readonly sign: (message: Buffer) => Buffer;
    },
    done: (error: Error | null, hash: Buffer, stored: number) => void,
  ): void;
  get(
    hash: Buffer,
    options: { readonly cache: boolean },
    done: Done<{ readonly v: Buffer } | null>,
  ): void;
  destroy(done: () => void): void;
}

type Dht = new (options: Record<string, unknown>) => Client;

/** bittorrent-dht (BEP 44), with Ed25519 by `node:crypto`. */
class BittorrentSwarm implements Swarm {
  readonly #nodes: Client[] = [];
  readonly #keys = new Map<number, SigningKey>();
  readonly #Dht: Dht;

  constructor(Dht: Dht) {
    this.#Dht = Dht;
  }

  async grow(count: number): Promise<void> {
    while (this.#nodes.length < count) {
      const port = this.#nodes[0]?.address().port;
      const node = new this.#Dht({
        host: "127.0.0.1",
        verify: isSigned,
        bootstrap: port === undefined ? false : [`127.0.0.1:${port}`],
      });
      const ready = new Promise<void>((resolve) => node.once("ready", resolve));
      await new Promise<void>((done) => node.listen(0, "127.0.0.1", done));
      await ready;
      this.#nodes.push(node);
    }
  }

  prepare(record: number): void {
    this.#keys.set(record, new SigningKey());
  }

  put(node: number, record: number, value: Uint8Array): Promise<void> {
    const key = this.#keys.get(record) as SigningKey;
    return new Promise((resolve, reject) =>
      this.#nodes[node]?.put({
        k: key.raw,
        seq: 1,
        v: Buffer.from(value),
        sign: (message) => key.sign(message),
      }, (error, _hash, stored) => {
        if (error !== null) reject(error);
        else if (stored === 0) reject(new Error("It was stored nowhere."));
        else resolve();
      })
    );
  }

  get(node: number, record: number): Promise<Uint8Array | undefined> {
    const { raw } = this.#keys.get(record) as SigningKey;
    const hash = createHash("sha1").update(raw).digest();
    // A copy of its own would be given without asking anybody.
    const options = { cache: false };
    return new Promise((resolve, reject) =>
      this.#nodes[node]?.get(
        hash,
        options,
        (error, result) => error ? reject(error) : resolve(result?.v),
      )
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#nodes.map((node) =>
        new Promise<void>((done) => node.destroy(done))
      ),
    );
  }
}

/** See {@linkcode Swarm}. */
export async function open(folder: string): Promise<Swarm> {
  const url = pathToFileURL(`${folder}/node_modules/bittorrent-dht/index.js`);
  const module = await import(url.href) as { Client: Dht; default?: Dht };
  return new BittorrentSwarm(module.default ?? module.Client);
}
