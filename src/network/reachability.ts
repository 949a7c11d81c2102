import { type PeerId, serviceCapabilities } from "@libp2p/interface";
import type { kadDHT } from "@libp2p/kad-dht";
import type { AddressBook } from "./address_book.ts";

type Connections = Parameters<
  ReturnType<typeof kadDHT>
>[0]["connectionManager"];

/**
 * Tells kad-dht whether a peer is there.
 *
 * Stands where libp2p has ping: a handshake that has just succeeded shows the
 * same as a question on a stream of its own, and connections are kept alive by
 * {@linkcode Pulse}.
 */
export class Reachability {
  /** What kad-dht asks for. */
  readonly [serviceCapabilities]: string[] = ["@libp2p/ping"];
  readonly #connections: Connections;
  readonly #addressBook: AddressBook;

  /** Works with the connections of libp2p. */
  constructor(connections: Connections, addressBook: AddressBook) {
    this.#connections = connections;
    this.#addressBook = addressBook;
  }

  /** Connects to a peer that is not connected; fails when it is not there. */
  async ping(
    peer: PeerId,
    options?: { readonly signal?: AbortSignal },
  ): Promise<number> {
    const target = this.#connections.getConnections(peer).length > 0
      ? peer
      : this.#addressBook.targets(peer.toString());
    await this.#connections.openConnection(target, options ?? {});
    return 0;
  }
}
