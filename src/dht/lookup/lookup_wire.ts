import type { Bytes } from "../../core/bytes.ts";
import { DecodeError } from "../../records/errors.ts";
import type { KnownPeer } from "../../network/peer_list.ts";
import { fields, key, list, read, write } from "../wire.ts";

/** Asks a peer for those it knows nearest to a key. */
export const CLOSEST = "dht.closest";

/** Bounds of the question and of its answer. */
export const CLOSEST_LIMITS = {
  /** Most peers. */
  peers: 20,
  /** Most addresses of one. */
  addresses: 8,
  /** Longest address, bytes. */
  address: 255,
  /** Longest peer id, characters. */
  peerId: 128,
} as const;

/** What is asked for. */
export interface ClosestQuery {
  /** The key. */
  readonly key: Uint8Array;
  /** How many peers. */
  readonly count: number;
}

/** The body of the question. */
export function encodeClosest(query: ClosestQuery): Bytes {
  return write((out) => {
    out.arrayHead(2);
    out.binary(query.key);
    out.value(query.count);
  });
}

/** The question. @throws {DecodeError} */
export function decodeClosest(bytes: Uint8Array): ClosestQuery {
  return read(bytes, (input) => {
    fields(input, 2);
    const place = key(input);
    const count = input.value();
    if (
      typeof count === "number" && Number.isInteger(count) && count >= 0 &&
      count <= CLOSEST_LIMITS.peers
    ) return { key: place, count };
    throw new DecodeError("The number of peers is out of bounds.");
  });
}

/** The answer. */
export function encodeClosestPeers(peers: readonly KnownPeer[]): Bytes {
  return write((out) => {
    out.arrayHead(peers.length);
    for (const { peerId, addresses } of peers) {
      out.arrayHead(2);
      out.value(peerId);
      out.value(
        addresses.filter(({ length }) => length <= CLOSEST_LIMITS.address)
          .slice(0, CLOSEST_LIMITS.addresses),
      );
    }
  });
}

/** The peers that an answer names. @throws {DecodeError} */
export function decodeClosestPeers(bytes: Uint8Array): KnownPeer[] {
  return read(bytes, (input) =>
    list(input, CLOSEST_LIMITS.peers, () => {
      fields(input, 2);
      const peerId = input.value();
      if (
        typeof peerId !== "string" || peerId.length > CLOSEST_LIMITS.peerId
      ) throw new DecodeError("A peer id is no short text.");
      const addresses = list(input, CLOSEST_LIMITS.addresses, () => {
        const address = input.binary();
        if (address.length <= CLOSEST_LIMITS.address) return address;
        throw new DecodeError("An address is too long.");
      });
      return { peerId, addresses };
    }));
}
