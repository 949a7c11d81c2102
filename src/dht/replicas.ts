import { compare } from "../core/bytes.ts";
import { base58btc } from "multiformats/bases/base58";
import { dhtIdOfBytes, distance } from "../records/dht_id.ts";

const MAX_REMEMBERED = 4_096;

/**
 * Computes which peers hold a key.
 *
 * A peer's place is the SHA-1 of its peer id's bytes, so that nobody chooses
 * where to stand, and everyone who knows the same peers agrees.
 */
export class Replicas {
  readonly #places = new Map<string, Uint8Array>();

  /** The peers nearest to a key, nearest first. */
  nearest(key: Uint8Array, peers: Iterable<string>, count: number): string[] {
    return [...new Set(peers)]
      .map((peer) => ({ peer, far: distance(this.#place(peer), key) }))
      .sort((a, b) => compare(a.far, b.far))
      .slice(0, count)
      .map(({ peer }) => peer);
  }

  #place(peerId: string): Uint8Array {
    const known = this.#places.get(peerId);
    if (known !== undefined) return known;
    if (this.#places.size >= MAX_REMEMBERED) this.#places.clear();
    const place = dhtIdOfBytes(base58btc.baseDecode(peerId));
    this.#places.set(peerId, place);
    return place;
  }
}
