import {
  type Connection,
  type PeerId,
  serviceCapabilities,
  type Startable,
  type Stream,
} from "@libp2p/interface";
import type { kadDHT } from "@libp2p/kad-dht";
import { CODE_P2P } from "@multiformats/multiaddr";
import { concat } from "../core/bytes.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";
import type { AddressBook } from "./address_book.ts";
import { parsePeerId } from "./addresses.ts";
import { NetworkError } from "./errors.ts";
import {
  decodeGreeting,
  encodeGreeting,
  type Greeting,
  MAX_GREETING,
} from "./greeting.ts";
import { Libp2pDuplex } from "./libp2p_duplex.ts";
import {
  decodePeers,
  encodePeers,
  type KnownPeer,
  PEER_LIST_LIMITS,
} from "./peer_list.ts";

/** What the introductions use of libp2p. */
export type IntroductionComponents = Pick<
  Parameters<ReturnType<typeof kadDHT>>[0],
  "registrar" | "addressManager" | "connectionManager" | "events"
>;

/** Options of {@linkcode Introductions}. */
export interface IntroductionOptions {
  /** The protocol of the introductions themselves; names the subnet. */
  readonly protocol: string;
  /** Where peers can be reached. */
  readonly addressBook: AddressBook;
  /** Whether we are a member. */
  readonly member: boolean;
  /** Where to count. */
  readonly metrics: Metrics;
}

/** Who is in the mesh, as far as we know. */
export interface Acquaintances {
  /** Members that are connected. */
  members(): readonly string[];
  /** Whether to ask a peer that we meet whom it knows. */
  wantsPeers(): boolean;
  /** Takes a member in that is connected and can be called. */
  met(peer: PeerId): void;
  /** Takes in whom a peer knows. */
  heard(peers: readonly KnownPeer[]): void;
}

/** How long an introduction or a question may take, ms. */
const TIMEOUT = 5_000;
/** How long a list that was made is told again, ms. */
const LIST_AGE = 100;
const NOBODY: Acquaintances = {
  members: () => [],
  wantsPeers: () => false,
  met: () => {},
  heard: () => {},
};

/**
 * Lets two peers that meet tell each other where they can be reached, whether
 * they are members, and whom else they know: one stream, one question, one
 * answer. Later it asks members whom they know.
 *
 * Stands where libp2p has identify, which takes a stream each way, a signed
 * record and five writes to the peer store for the same, most of what a
 * connection costs. The signature would add nothing: an address is a hint, and
 * who is met there its own handshake proves.
 */
export class Introductions implements Startable {
  /** What kad-dht asks for. */
  readonly [serviceCapabilities]: string[] = ["@libp2p/identify"];
  readonly #libp2p: IntroductionComponents;
  readonly #options: IntroductionOptions;
  readonly #log = loggerOf("network");
  readonly #tasks = new Tasks();
  #stopping = new AbortController();
  #list: { readonly bytes: Uint8Array; readonly at: number } | undefined;
  /** Whom we know; nobody until it is set. */
  acquaintances: Acquaintances = NOBODY;

  /** Works with parts of libp2p. */
  constructor(libp2p: IntroductionComponents, options: IntroductionOptions) {
    this.#libp2p = libp2p;
    this.#options = options;
  }

  /** Begins to introduce us to whom we meet. */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    const { registrar, events } = this.#libp2p;
    events.addEventListener("connection:open", this.#opened);
    await registrar.handle(
      this.#options.protocol,
      (stream, connection) => this.#answer(stream, connection),
      { maxInboundStreams: 4, maxOutboundStreams: 4 },
    );
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    const { registrar, events } = this.#libp2p;
    events.removeEventListener("connection:open", this.#opened);
    await registrar.unhandle(this.#options.protocol);
    this.#stopping.abort();
    await this.#tasks.settled();
  }

  /**
   * The members that a peer is connected to.
   *
   * @throws {NetworkError} `PEER_LIST_INVALID`, `GREETING_INVALID`
   */
  async ask(peerId: string, signal: AbortSignal): Promise<KnownPeer[]> {
    const [connection] = this.#libp2p.connectionManager.getConnections(
      parsePeerId(peerId),
    );
    if (connection === undefined) throw new Error("It is not connected.");
    const greeting = {
      introduces: false,
      member: this.#options.member,
      asks: true,
      addresses: [],
    };
    return (await this.#converse(connection, greeting, signal)).peers;
  }

  readonly #opened = ({ detail }: CustomEvent<Connection>) => {
    if (detail.direction !== "outbound") return;
    const { remotePeer, remoteAddr } = detail;
    this.#options.addressBook.reach(remotePeer.toString(), remoteAddr.bytes);
    this.#tasks.own(this.#introduce(detail));
  };

  /** Whoever calls begins. */
  async #introduce(connection: Connection): Promise<void> {
    using limit = deadline(TIMEOUT, this.#stopping.signal);
    const asks = this.acquaintances.wantsPeers();
    try {
      const { greeting, peers } = await this.#converse(
        connection,
        this.#greeting(true, asks),
        limit.signal,
      );
      this.#met(connection, greeting);
      if (asks) this.acquaintances.heard(peers);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#log.debug("Meeting {peer} failed: {error}", {
        peer: connection.remotePeer.toString(),
        error,
      });
      this.#options.metrics.count(
        "meshnode_network_introductions_failed_total",
      );
      // One that speaks another protocol may stay; with any other the
      // connection is no good, and is tried anew.
      const { name } = error as Error;
      if (name !== "UnsupportedProtocolError" && connection.status === "open") {
        connection.abort(error as Error);
      }
    }
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    const duplex = new Libp2pDuplex(stream, connection.remotePeer.toString());
    using limit = deadline(TIMEOUT, this.#stopping.signal);
    const { signal } = limit;
    // What went wrong ends the stream, and concerns nobody else here.
    await talk(duplex, signal, async () => {
      const greeting = await readGreeting(duplex);
      const own = encodeGreeting(this.#greeting(greeting.introduces, false));
      await duplex.write(
        greeting.asks ? concat(own, this.#peers()) : own,
        signal,
      );
      await duplex.close(signal);
      if (greeting.introduces) this.#met(connection, greeting);
    }).catch(() => {});
  }

  async #converse(
    connection: Connection,
    greeting: Greeting,
    signal: AbortSignal,
  ): Promise<{ readonly greeting: Greeting; readonly peers: KnownPeer[] }> {
    const { protocol } = this.#options;
    const stream = await connection.newStream(protocol, { signal });
    const duplex = new Libp2pDuplex(stream, connection.remotePeer.toString());
    return await talk(duplex, signal, async () => {
      await duplex.write(encodeGreeting(greeting), signal);
      const bytes = await readAll(
        duplex,
        MAX_GREETING + (greeting.asks ? PEER_LIST_LIMITS.bytes : 0),
      );
      const answer = decodeGreeting(bytes);
      if (answer === undefined) throw new Error("It hung up.");
      const peers = greeting.asks ? decodePeers(answer.rest) : [];
      await duplex.close(signal);
      return { greeting: answer.greeting, peers };
    });
  }

  #greeting(introduces: boolean, asks: boolean): Greeting {
    const { member } = this.#options;
    const addresses = introduces
      ? this.#libp2p.addressManager.getAddresses().map((address) =>
        address.decapsulateCode(CODE_P2P).bytes
      )
      : [];
    return { introduces, member, asks, addresses };
  }

  /** One that can be called again, should its connection be lost, may be a member. */
  #met({ remotePeer }: Connection, { addresses, member }: Greeting): void {
    const { addressBook } = this.#options;
    const peerId = remotePeer.toString();
    addressBook.meet(peerId, addresses);
    if (member && addressBook.known(peerId).addresses.length > 0) {
      this.acquaintances.met(remotePeer);
    }
  }

  #peers(): Uint8Array {
    // Many ask at once when a mesh starts.
    const now = performance.now();
    if (this.#list === undefined || now - this.#list.at > LIST_AGE) {
      const { addressBook } = this.#options;
      const known = this.acquaintances.members()
        .map((peer) => addressBook.known(peer))
        .filter(({ addresses }) => addresses.length > 0);
      this.#list = { bytes: encodePeers(known), at: now };
    }
    return this.#list.bytes;
  }
}

/** Resets the stream when the talk fails or its time is over. */
async function talk<T>(
  duplex: Libp2pDuplex,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const abort = () => duplex.abort(new Error("The time is over."));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await act();
  } catch (error) {
    duplex.abort(error instanceof Error ? error : new Error("ended"));
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function readGreeting(duplex: Libp2pDuplex): Promise<Greeting> {
  let bytes = new Uint8Array();
  for await (const part of duplex) {
    bytes = concat(bytes, part);
    const read = decodeGreeting(bytes);
    if (read === undefined) continue;
    if (read.rest.length > 0) throw new Error("Something follows it.");
    return read.greeting;
  }
  throw new Error("It hung up.");
}

async function readAll(
  duplex: Libp2pDuplex,
  most: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of duplex) {
    parts.push(part);
    length += part.length;
    if (length > most) {
      throw new NetworkError(
        "PEER_LIST_INVALID",
        `Peer ${duplex.remotePeer} sends an endless list of peers.`,
      );
    }
  }
  return concat(...parts);
}
