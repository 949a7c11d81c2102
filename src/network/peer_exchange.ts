import type { Libp2p } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { concat } from "../core/bytes.ts";
import { deadline } from "../core/deadline.ts";
import { parsePeerId } from "./addresses.ts";
import { NetworkError } from "./errors.ts";
import { Libp2pDuplex } from "./libp2p_duplex.ts";
import {
  decodePeers,
  encodePeers,
  type KnownPeer,
  PEER_LIST_LIMITS,
} from "./peer_list.ts";

/** How long a peer may take to be asked. */
const SERVE_TIMEOUT = 5_000;
/** The one question there is. */
const ASK = Uint8Array.of(1);
/** How long a list that was made is told again, ms. */
const LIST_AGE = 500;

/**
 * Tells others which members are connected here, and asks them the same.
 *
 * One question to one peer brings the whole subnet, where a query of kad-dht
 * takes a second of processor time: it asks everybody, each on a new stream.
 * An answer is a hint: who a peer is, its own handshake proves.
 */
export class PeerExchange {
  readonly #libp2p: Libp2p;
  readonly #protocol: string;
  readonly #members: () => readonly string[];
  #list:
    | { readonly bytes: Promise<Uint8Array>; readonly at: number }
    | undefined;

  /** Tells of the members. */
  constructor(
    libp2p: Libp2p,
    protocol: string,
    members: () => readonly string[],
  ) {
    this.#libp2p = libp2p;
    this.#protocol = protocol;
    this.#members = members;
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    await this.#libp2p.handle(this.#protocol, async (stream, connection) => {
      const peer = connection.remotePeer.toString();
      const duplex = new Libp2pDuplex(stream, peer);
      using limit = deadline(SERVE_TIMEOUT);
      const abort = () => duplex.abort(new Error("The time is over."));
      limit.signal.addEventListener("abort", abort, { once: true });
      try {
        // What is sent before the asker listens would be lost to it.
        for await (const _ of duplex) {
          await duplex.write(await this.#answer(), limit.signal);
          await duplex.close(limit.signal);
          break;
        }
      } catch (error) {
        duplex.abort(error instanceof Error ? error : new Error("ended"));
      }
    }, { maxInboundStreams: 4, maxOutboundStreams: 4 });
  }

  /**
   * The members that a peer is connected to.
   *
   * @throws {NetworkError} `PEER_LIST_INVALID`
   */
  async ask(peerId: string, signal: AbortSignal): Promise<KnownPeer[]> {
    const stream = await this.#libp2p.dialProtocol(
      parsePeerId(peerId),
      this.#protocol,
      { signal },
    );
    const duplex = new Libp2pDuplex(stream, peerId);
    const abort = () => duplex.abort(new Error("The time is over."));
    signal.addEventListener("abort", abort, { once: true });
    try {
      await duplex.write(ASK, signal);
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of duplex) {
        parts.push(part);
        length += part.length;
        if (length > PEER_LIST_LIMITS.bytes) {
          throw new NetworkError(
            "PEER_LIST_INVALID",
            `Peer ${peerId} sends an endless list of peers.`,
          );
        }
      }
      const peers = decodePeers(concat(...parts));
      await duplex.close(signal);
      return peers;
    } catch (error) {
      duplex.abort(error instanceof Error ? error : new Error("ended"));
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Notes where peers can be reached; those without a usable address are left out. */
  async learn(peers: readonly KnownPeer[]): Promise<string[]> {
    const learnt = await Promise.all(peers.map(async (peer) => {
      try {
        const id = parsePeerId(peer.peerId);
        const multiaddrs = peer.addresses.flatMap(readAddress);
        if (multiaddrs.length === 0) return [];
        await this.#libp2p.peerStore.merge(id, { multiaddrs });
        return [peer.peerId];
      } catch {
        // One that is no peer keeps nobody from the others.
        return [];
      }
    }));
    return learnt.flat();
  }

  /** Where a peer can be reached, as far as we know. */
  async known(peerId: string): Promise<KnownPeer> {
    try {
      const { addresses } = await this.#libp2p.peerStore.get(
        parsePeerId(peerId),
      );
      return {
        peerId,
        addresses: addresses.map(({ multiaddr }) => multiaddr.bytes),
      };
    } catch {
      return { peerId, addresses: [] };
    }
  }

  #answer(): Promise<Uint8Array> {
    // Many ask at once when a mesh starts.
    const now = performance.now();
    if (this.#list === undefined || now - this.#list.at > LIST_AGE) {
      const bytes = Promise.all(this.#members().map((peer) => this.known(peer)))
        .then((peers) =>
          encodePeers(peers.filter(({ addresses }) => addresses.length > 0))
        );
      this.#list = { bytes, at: now };
    }
    return this.#list.bytes;
  }
}

function readAddress(bytes: Uint8Array): Multiaddr[] {
  try {
    return [multiaddr(bytes)];
  } catch {
    return [];
  }
}
