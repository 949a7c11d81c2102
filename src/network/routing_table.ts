import type { PeerId, PeerStore } from "@libp2p/interface";
import type { KadDHT } from "@libp2p/kad-dht";
import { multiaddr } from "@multiformats/multiaddr";
import type { Clock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import type { AddressBook } from "./address_book.ts";

/** What kad-dht's routing table offers beyond its declared interface. */
interface KadTable {
  add(peer: PeerId, options: { signal: AbortSignal }): Promise<void>;
  remove(peer: PeerId, options: { signal: AbortSignal }): Promise<void>;
}

/** Between two peers that are put into the table, ms. */
const PAUSE = 50;
/** How long it may take to put one in, ms. */
const TIMEOUT = 5_000;
/** Most that wait; a subnet has at most 256 nodes. */
const MOST_WAITING = 1_024;

/**
 * kad-dht's routing table, which follows the members one at a time.
 *
 * Replicas are chosen among the members themselves; the table answers peers
 * that ask by kad-dht's own protocol. To put a peer in costs about as much as
 * to introduce it, which nothing has to wait for while a mesh starts.
 */
export class RoutingTable {
  readonly #dht: KadDHT;
  readonly #peerStore: PeerStore;
  readonly #addressBook: AddressBook;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, PeerId>();
  readonly #log = loggerOf("network");

  /** Works with kad-dht, which tells addresses that are in libp2p's peer store. */
  constructor(
    { dht, peerStore, addressBook, clock }: {
      readonly dht: KadDHT;
      readonly peerStore: PeerStore;
      readonly addressBook: AddressBook;
      readonly clock: Clock;
    },
  ) {
    this.#dht = dht;
    this.#peerStore = peerStore;
    this.#addressBook = addressBook;
    this.#clock = clock;
  }

  /** Has a peer put in, soon. */
  add(peer: PeerId): void {
    if (this.#waiting.size < MOST_WAITING) {
      this.#waiting.set(peer.toString(), peer);
    }
  }

  /** Takes a peer out. */
  async remove(peer: PeerId, signal: AbortSignal): Promise<void> {
    this.#waiting.delete(peer.toString());
    await this.#table.remove(peer, { signal }).catch(() => {});
  }

  /** Puts peers in until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(PAUSE, signal).catch(() => {});
      const [next] = this.#waiting;
      if (next === undefined || signal.aborted) continue;
      const [peerId, peer] = next;
      this.#waiting.delete(peerId);
      using limit = deadline(TIMEOUT, signal);
      await this.#put(peer, limit.signal).catch((error) =>
        this.#log.debug("{peerId} is not put into the routing table: {error}", {
          ...{ peerId, error },
        })
      );
    }
  }

  async #put(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { addresses } = this.#addressBook.known(peer.toString());
    const multiaddrs = addresses.map((bytes) => multiaddr(bytes));
    await this.#peerStore.patch(peer, { multiaddrs }, { signal });
    await this.#table.add(peer, { signal });
  }

  get #table(): KadTable {
    return (this.#dht as unknown as { readonly routingTable: KadTable })
      .routingTable;
  }
}
