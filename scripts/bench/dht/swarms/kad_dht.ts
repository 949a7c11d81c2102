import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { type KadDHT, kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { concat } from "../../../../mod.ts";
import type { Swarm } from "../swarm.ts";
import { isSigned, SigningKey } from "./signed.ts";

type Node = Libp2p<{ readonly dht: KadDHT }>;

const utf8 = new TextEncoder();
const text = new TextDecoder();
const SIGNATURE_BYTES = 64;
const PREFIX = "/rec/";

/** A value is a signature over key, sequence number and payload, then both. */
function validate(key: Uint8Array, value: Uint8Array): void {
  const raw = Uint8Array.fromHex(text.decode(key).slice(PREFIX.length));
  const signature = value.subarray(0, SIGNATURE_BYTES);
  const signed = concat(key, value.subarray(SIGNATURE_BYTES));
  if (!isSigned(signature, signed, raw)) throw new Error("not signed");
}

/** The highest sequence number. */
function select(_key: Uint8Array, values: readonly Uint8Array[]): number {
  const sequences = values.map((value) =>
    new DataView(value.buffer, value.byteOffset).getUint32(SIGNATURE_BYTES)
  );
  return sequences.indexOf(Math.max(...sequences));
}

function createPeer(): Promise<Node> {
  return createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: {
      inboundConnectionThreshold: 1_000,
      maxIncomingPendingConnections: 1_000,
      // All handshakes at once take longer than one on a busy machine.
      dialTimeout: 60_000,
      addressDialTimeout: 60_000,
      inboundUpgradeTimeout: 60_000,
    },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: "/bench/kad/1.0.0",
        clientMode: false,
        allowQueryWithZeroPeers: true,
        peerInfoMapper: passthroughMapper,
        validators: { rec: validate },
        selectors: { rec: select },
      }),
    },
  });
}

/** kad-dht with its defaults, on loopback. */
class KadSwarm implements Swarm {
  readonly #nodes: Node[] = [];
  readonly #keys = new Map<number, SigningKey>();

  async grow(count: number): Promise<void> {
    const missing = count - this.#nodes.length;
    const first = this.#nodes[0];
    const fresh = await Promise.all(
      Array.from({ length: missing }, createPeer),
    );
    this.#nodes.push(...fresh);
    const [address] = this.#nodes[0]?.getMultiaddrs() ?? [];
    if (address === undefined) throw new Error("The first peer is deaf.");
    for (const node of this.#nodes) {
      if (node !== this.#nodes[0] && fresh.includes(node)) {
        await node.dial(address);
      }
    }
    if (first === undefined && count === 1) return;
    // Each looks for itself once, which is how tables are filled.
    for (const node of fresh) {
      const self = node.peerId.toMultihash().bytes;
      for await (const _ of node.services.dht.getClosestPeers(self)) {
        // What answers reaches the table by itself.
      }
    }
  }

  prepare(record: number): void {
    this.#keys.set(record, new SigningKey());
  }

  async put(node: number, record: number, value: Uint8Array): Promise<void> {
    const key = this.#keys.get(record) as SigningKey;
    const place = this.#place(key);
    const sequence = Uint8Array.of(0, 0, 0, 1);
    const signature = key.sign(concat(place, sequence, value));
    const stored = concat(signature, sequence, value);
    for await (const _ of this.#dht(node).put(place, stored)) {
      // Until it is stored everywhere.
    }
  }

  async get(node: number, record: number): Promise<Uint8Array | undefined> {
    const place = this.#place(this.#keys.get(record) as SigningKey);
    try {
      for await (const event of this.#dht(node).get(place)) {
        // The first valid one, as libp2p's content routing takes it.
        if (event.name !== "VALUE") continue;
        return event.value.subarray(SIGNATURE_BYTES + 4);
      }
      return undefined;
    } catch (error) {
      if (error instanceof Error && error.name === "NotFoundError") return;
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  #dht(node: number): KadDHT {
    return (this.#nodes[node] as Node).services.dht;
  }

  #place(key: SigningKey): Uint8Array {
    return utf8.encode(`${PREFIX}${key.raw.toString("hex")}`);
  }
}

/** See {@linkcode Swarm}. */
export function open(): Promise<Swarm> {
  return Promise.resolve(new KadSwarm());
}
