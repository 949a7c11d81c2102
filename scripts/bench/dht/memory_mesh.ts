import {
  CompositeValidator,
  Dht,
  type Duplex,
  type Identity,
  identityFromSeed,
  type LocalStorage,
  ownerMarker,
  type RecordValidator,
  Rpc,
  SignatureAuthorizer,
  SignatureValidator,
  systemClock,
  type Transport,
} from "../../../mod.ts";

/** How long a record lives, seconds. */
const LIFE = 3_600;

/** What went through all pipes. */
export interface Traffic {
  /** Writes, each of which is one frame. */
  messages: number;
  bytes: number;
}

/** One direction of a stream. Nothing is copied, nothing waits for a network. */
class Pipe {
  #chunks: Uint8Array[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake = () => {};
  readonly #traffic: Traffic;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#traffic.messages++;
    this.#traffic.bytes += bytes.length;
    this.#chunks.push(bytes);
    this.#wake();
    return undefined;
  }

  end(failure?: Error): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      yield* chunks;
      if (this.#chunks.length > 0) continue;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function end(remotePeer: string, incoming: Pipe, outgoing: Pipe): Duplex {
  return {
    remotePeer,
    write: (bytes) => outgoing.write(bytes),
    close: () => Promise.resolve(outgoing.end()),
    abort: (reason) => {
      incoming.end(reason);
      outgoing.end(reason);
    },
    [Symbol.asyncIterator]: () => incoming.read(),
  };
}

/** A node without a host: records, calls, signatures, and pipes instead of TCP. */
export interface MemoryNode {
  readonly identity: Identity;
  readonly dht: Dht;
  readonly rpc: Rpc;
}

/**
 * Many nodes that know each other, with everything but the network: calls are
 * framed, signed and checked as always, and handed over in memory.
 */
export class MemoryMesh {
  readonly #accept = new Map<string, (stream: Duplex) => void>();
  readonly traffic: Traffic = { messages: 0, bytes: 0 };
  readonly nodes: readonly MemoryNode[];

  /** Starts so many nodes. */
  constructor(count: number, storage?: (node: number) => LocalStorage) {
    const identities = Array.from({ length: count }, (_, i) => {
      const seed = new Uint8Array(32);
      new DataView(seed.buffer).setUint32(0, i + 1);
      return identityFromSeed(seed);
    });
    const peers = identities.map(({ peerId }) => peerId);
    this.nodes = identities.map((identity, i) => {
      const rpc = new Rpc({
        transport: this.#transport(identity.peerId),
        authorizer: new SignatureAuthorizer(identity, systemClock),
      });
      const dht = new Dht({
        peerId: identity.peerId,
        calls: rpc,
        members: () => peers,
        validator: validatorOf(identity),
        ...(storage === undefined ? {} : { storage: storage(i) }),
      });
      return { identity, dht, rpc };
    });
  }

  /** A node, counted around. */
  at(index: number): MemoryNode {
    return this.nodes[index % this.nodes.length] as MemoryNode;
  }

  /** What a node asks for to store a record of its own. */
  request(node: MemoryNode, key: string, bytes = 128) {
    return {
      key,
      subkey: ownerMarker(node.identity.openSsh),
      value: crypto.getRandomValues(new Uint8Array(bytes)),
      expiration: Date.now() / 1000 + LIFE,
    };
  }

  /** Ends all nodes. */
  async stop(): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ dht, rpc }) => {
        await dht.stop();
        await rpc.stop();
      }),
    );
  }

  #transport(peerId: string): Transport {
    return {
      peerId,
      accept: (handler) => this.#accept.set(peerId, handler),
      open: (to) => {
        const accept = this.#accept.get(to);
        if (accept === undefined) throw new Error(`There is no ${to}.`);
        const there = new Pipe(this.traffic);
        const back = new Pipe(this.traffic);
        accept(end(peerId, there, back));
        return Promise.resolve(end(to, back, there));
      },
    };
  }
}

function validatorOf(identity: Identity): RecordValidator {
  return new CompositeValidator([new SignatureValidator(identity)]);
}
