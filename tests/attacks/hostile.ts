import { noise } from "@chainsafe/libp2p-noise";
import { privateKeyFromProtobuf } from "@libp2p/crypto/keys";
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import {
  type DhtRecord,
  type Identity,
  MetricsRegistry,
  SignatureAuthorizer,
  systemClock,
} from "../../mod.ts";
import { AddressBook } from "../../src/network/address_book.ts";
import { Introductions } from "../../src/network/introductions.ts";
import { Libp2pDuplex } from "../../src/network/libp2p_duplex.ts";
import {
  decodeStoreAnswers,
  encodeStore,
  METHODS,
} from "../../src/dht/wire.ts";
import { encodeFrame, FRAME, type Frame } from "../../src/rpc/frames.ts";
import { eventually } from "../eventually.ts";
import { readFrames } from "../rpc/read_frames.ts";

/** The protocol of calls in the subnet that the suite attacks. */
export const RPC_PROTOCOL = "/meshnode/1/rpc/1.0.0";

const text = new TextDecoder();

/** A stream of a hostile peer, written byte by byte as it likes. */
export class HostileStream {
  readonly #stream: Stream;
  readonly #duplex: Libp2pDuplex;
  readonly #frames: AsyncGenerator<Frame>;

  /** Wraps an open stream. */
  constructor(stream: Stream, remotePeer: string) {
    this.#stream = stream;
    this.#duplex = new Libp2pDuplex(stream, remotePeer);
    this.#frames = readFrames(this.#duplex);
  }

  /** Whether the other side has not ended it. */
  get open(): boolean {
    return this.#stream.status === "open" &&
      this.#stream.remoteWriteStatus === "writable";
  }

  /** Sends bytes, and waits while the other side takes no more. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#duplex.write(bytes, signal);
  }

  /** The next frame; `undefined` once the other side ended the stream. */
  async frame(): Promise<Frame | undefined> {
    try {
      const { value, done } = await this.#frames.next();
      return done ? undefined : value;
    } catch {
      return undefined;
    }
  }

  /** The next answer: `ok`, or the text of a refusal; `closed` when none comes. */
  async answer(): Promise<string> {
    const frame = await this.frame();
    if (frame === undefined) return "closed";
    return frame.type === FRAME.error ? text.decode(frame.body) : "ok";
  }

  /** Resets it. */
  abort(): void {
    this.#stream.abort(new Error("The attacker is done."));
  }
}

/** A request as an honest peer would make it, to be spoilt. */
export interface Request {
  /** The method called. */
  readonly method: string;
  /** The signed bytes. */
  readonly auth: Uint8Array;
  /** The body. */
  readonly body: Uint8Array;
}

/** The node that a hostile peer attacks, as far as it knows it. */
export interface Target {
  /** Multiaddrs, each with `/p2p/…`. */
  addresses(): readonly string[];
  /** How many peers it is connected with. */
  status(): { readonly connections: number };
}

/** A peer that speaks libp2p and follows no other rule. */
export class Hostile {
  readonly #libp2p: Libp2p;
  readonly #connection: Connection;
  /** Its key. */
  readonly identity: Identity;
  /** Signs with its key. */
  readonly signer: SignatureAuthorizer;
  /** The node that it attacks, base58. */
  readonly target: string;
  readonly #known: () => boolean;
  #call = 0;

  private constructor(
    libp2p: Libp2p,
    connection: Connection,
    identity: Identity,
    known: () => boolean,
  ) {
    this.#known = known;
    this.#libp2p = libp2p;
    this.#connection = connection;
    this.identity = identity;
    this.signer = new SignatureAuthorizer(identity, systemClock);
    this.target = connection.remotePeer.toString();
  }

  /** Connects to a node; that alone may fail. */
  static async connect(identity: Identity, node: Target): Promise<Hostile> {
    const libp2p: Libp2p = await createLibp2p({
      services: {
        // Who says that it is a member is asked for records.
        introductions: (components) =>
          new Introductions(components, {
            protocol: "/meshnode/1/introductions/1.0.0",
            addressBook: new AddressBook(),
            member: true,
            metrics: new MetricsRegistry(),
          }),
      },
      privateKey: privateKeyFromProtobuf(identity.marshalled),
      addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { maxPeerAddrsToDial: 1, reconnectRetries: 0 },
      connectionMonitor: { enabled: false },
    });
    const [address = ""] = node.addresses();
    const before = node.status().connections;
    const known = () => node.status().connections > before;
    try {
      const connection = await libp2p.dial(multiaddr(address));
      return new Hostile(libp2p, connection, identity, known);
    } catch (error) {
      await libp2p.stop();
      throw error;
    }
  }

  /** Whether the node still talks to it. */
  get connected(): boolean {
    return this.#connection.status === "open";
  }

  /** Opens a stream of a protocol. */
  async open(protocol = RPC_PROTOCOL): Promise<HostileStream> {
    const stream = await this.#connection.newStream(protocol, {
      maxOutboundStreams: 10_000,
    });
    return new HostileStream(stream, this.target);
  }

  /** Answers the calls that the node makes, from when the node can make them. */
  async serve(handler: (stream: HostileStream) => unknown): Promise<void> {
    await eventually(this.#known, () => "the node does not see the peer");
    await this.#libp2p.handle(
      RPC_PROTOCOL,
      (stream) => {
        handler(new HostileStream(stream, this.target));
      },
      { maxInboundStreams: 1_000 },
    );
  }

  /** A request that the node would accept. */
  request(method: string, body: Uint8Array = new Uint8Array()): Request {
    const auth = this.signer.signRequest({ method, peer: this.target, body });
    return { method, auth, body };
  }

  /** The frame of a request, with a call number of its own. */
  frame(request: Request, type: Frame["type"] = FRAME.request): Uint8Array {
    const { method, auth, body } = request;
    return encodeFrame(type, ++this.#call, { method, auth, body });
  }

  /** Sends a request on a stream of its own and says what became of it. */
  async send(request: Request): Promise<string> {
    const stream = await this.open().catch(() => undefined);
    if (stream === undefined) return "closed";
    await stream.write(this.frame(request)).catch(() => {});
    const answer = await stream.answer();
    stream.abort();
    return answer;
  }

  /** Stores records at the node: its answers, or the text of its refusal. */
  async store(
    body: Uint8Array | readonly DhtRecord[],
  ): Promise<string | readonly string[]> {
    const encoded = body instanceof Uint8Array ? body : encodeStore(body);
    const stream = await this.open();
    try {
      await stream.write(this.frame(this.request(METHODS.store, encoded)));
      const frame = await stream.frame();
      if (frame === undefined) return "closed";
      if (frame.type === FRAME.error) return text.decode(frame.body);
      return body instanceof Uint8Array
        ? "ok"
        : decodeStoreAnswers(frame.body, body.length);
    } finally {
      stream.abort();
    }
  }

  /** Disconnects. */
  async stop(): Promise<void> {
    this.#connection.abort(new Error("The attacker leaves."));
    await this.#libp2p.stop();
  }
}
