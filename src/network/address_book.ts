import { CODE_P2P, type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { equal } from "../core/bytes.ts";
import { parseAddress, parsePeerAddress, parsePeerId } from "./addresses.ts";
import { NetworkError } from "./errors.ts";
import { type KnownPeer, PEER_LIST_LIMITS } from "./peer_list.ts";

/** Most peers that were met, and as many that were only heard of. */
const MOST_PEERS = 2_048;

/**
 * Where peers can be reached: what they said when they were met, and what
 * others say, which is a hint. Stands where libp2p has the peer store, whose
 * every read and write encodes, locks and copies.
 */
export class AddressBook {
  readonly #met = new Addresses();
  readonly #heard = new Addresses();

  /** Notes what a peer that is connected says of itself, if it does, instead of what it said before. */
  meet(peerId: string, addresses: readonly Uint8Array[]): void {
    const kept = usable(peerId, addresses);
    if (kept.length > 0) this.#met.set(peerId, kept);
  }

  /** Notes an address at which a peer was reached, unless it names its own. */
  reach(peerId: string, address: Uint8Array): void {
    if (this.#met.get(peerId).length === 0) this.meet(peerId, [address]);
  }

  /** Notes where others say that peers can be reached, and gives those that have a usable address. */
  learn(peers: readonly KnownPeer[]): string[] {
    return peers.flatMap(({ peerId, addresses }) => {
      const kept = usable(peerId, addresses);
      if (kept.length === 0 || !isPeerId(peerId)) return [];
      const before = this.#heard.get(peerId).filter((old) =>
        !kept.some((address) => equal(address, old))
      );
      this.#heard.set(peerId, [...kept, ...before]);
      return [peerId];
    });
  }

  /** Where a peer can be reached, as far as we know. */
  known(peerId: string): KnownPeer {
    const met = this.#met.get(peerId);
    return {
      peerId,
      addresses: met.length > 0 ? met : this.#heard.get(peerId),
    };
  }

  /**
   * What to call to reach a peer, each address with `/p2p/…`; what it said
   * itself comes first.
   *
   * @throws {NetworkError} `PEER_UNREACHABLE` when no address is known.
   */
  targets(peerId: string): Multiaddr[] {
    const all = [...this.#met.get(peerId), ...this.#heard.get(peerId)];
    if (all.length === 0) {
      throw new NetworkError(
        "PEER_UNREACHABLE",
        `No address of peer ${peerId} is known.`,
      );
    }
    return all.slice(0, PEER_LIST_LIMITS.addresses).map((bytes) =>
      multiaddr(bytes).encapsulate(`/p2p/${peerId}`)
    );
  }

  /** Notes multiaddrs with `/p2p/…`, and gives their peers; what is none is left out. */
  note(texts: readonly string[]): string[] {
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
  texts(peerIds: readonly string[]): string[] {
    return peerIds.flatMap((peerId) =>
      this.known(peerId).addresses.map((bytes) =>
        `${multiaddr(bytes)}/p2p/${peerId}`
      )
    );
  }
}

/** Addresses by peer; whoever was noted first makes room. */
class Addresses {
  readonly #peers = new Map<string, readonly Uint8Array[]>();

  get(peerId: string): readonly Uint8Array[] {
    return this.#peers.get(peerId) ?? [];
  }

  set(peerId: string, addresses: readonly Uint8Array[]): void {
    this.#peers.delete(peerId);
    if (addresses.length === 0) return;
    if (this.#peers.size >= MOST_PEERS) {
      const [oldest] = this.#peers.keys();
      if (oldest !== undefined) this.#peers.delete(oldest);
    }
    this.#peers.set(peerId, addresses.slice(0, PEER_LIST_LIMITS.addresses));
  }
}

/** Copies of those addresses that can be those of the peer, without `/p2p/…`; few of them. */
function usable(
  peerId: string,
  addresses: readonly Uint8Array[],
): Uint8Array[] {
  return addresses.slice(0, PEER_LIST_LIMITS.addresses).flatMap((bytes) => {
    try {
      const address = multiaddr(bytes);
      const last = address.getComponents().at(-1);
      if (last?.code !== CODE_P2P) return last ? [bytes.slice()] : [];
      const rest = address.decapsulateCode(CODE_P2P);
      return last.value === peerId && rest.getComponents().length > 0
        ? [rest.bytes]
        : [];
    } catch {
      return [];
    }
  });
}

function isPeerId(text: string): boolean {
  try {
    return parsePeerId(text).toString() === text;
  } catch {
    return false;
  }
}
