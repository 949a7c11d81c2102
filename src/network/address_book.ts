import type { PeerStore } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { parseAddress, parsePeerAddress, parsePeerId } from "./addresses.ts";
import type { KnownPeer } from "./peer_list.ts";

/** Where peers can be reached; what others say of it are hints. */
export class AddressBook {
  readonly #store: PeerStore;

  /** Keeps addresses in libp2p's store. */
  constructor(store: PeerStore) {
    this.#store = store;
  }

  /** Notes where peers can be reached, and gives those that have a usable address. */
  async learn(peers: readonly KnownPeer[]): Promise<string[]> {
    const learnt = await Promise.all(peers.map(async (peer) => {
      try {
        const id = parsePeerId(peer.peerId);
        const multiaddrs = this.read(peer.addresses);
        if (multiaddrs.length === 0) return [];
        await this.#store.merge(id, { multiaddrs });
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
      const { addresses } = await this.#store.get(parsePeerId(peerId));
      return {
        peerId,
        addresses: addresses.map(({ multiaddr }) => multiaddr.bytes),
      };
    } catch {
      return { peerId, addresses: [] };
    }
  }

  /** Notes multiaddrs with `/p2p/…`, and gives their peers; what is none is left out. */
  note(texts: readonly string[]): Promise<string[]> {
    return this.learn(texts.flatMap((text): KnownPeer[] => {
      try {
        const { peerId } = parsePeerAddress(text);
        return [{ peerId, addresses: [parseAddress(text).bytes] }];
      } catch {
        return [];
      }
    }));
  }

  /** Where peers can be reached, as multiaddrs with `/p2p/…`. */
  async texts(peerIds: readonly string[]): Promise<string[]> {
    const known = await Promise.all(peerIds.map((each) => this.known(each)));
    return known.flatMap(({ peerId, addresses }) =>
      this.read(addresses).map((address) => {
        const text = address.toString();
        return text.includes("/p2p/") ? text : `${text}/p2p/${peerId}`;
      })
    );
  }

  /** The addresses of which the bytes are; those that are none are left out. */
  read(addresses: readonly Uint8Array[]): Multiaddr[] {
    return addresses.flatMap((bytes) => {
      try {
        return [multiaddr(bytes)];
      } catch {
        return [];
      }
    });
  }
}
