import type { Neighbourhood } from "../neighbourhood.ts";
import type { AddressBook } from "../options.ts";
import { decodeClosest, encodeClosestPeers } from "./lookup_wire.ts";

/** Answers who looks for the peers nearest to a key. */
export class LookupService {
  readonly #neighbourhood: Neighbourhood;
  readonly #addresses: AddressBook | undefined;

  /** Tells of the neighbourhood, with the addresses that are known. */
  constructor(neighbourhood: Neighbourhood, addresses?: AddressBook) {
    this.#neighbourhood = neighbourhood;
    this.#addresses = addresses;
  }

  /** Answers `dht.closest`; the caller knows itself. */
  onClosest(body: Uint8Array, caller: string): Uint8Array {
    const { key, count } = decodeClosest(body);
    const peers = this.#neighbourhood.nearest(key, count + 1)
      .filter((peer) => peer !== caller).slice(0, count);
    return encodeClosestPeers(
      peers.map((peerId) =>
        this.#addresses?.known(peerId) ?? { peerId, addresses: [] }
      ),
    );
  }
}
