import { type Bytes, concat } from "../core/bytes.ts";
import { NetworkError } from "./errors.ts";

/** A peer and where it can be reached. */
export interface KnownPeer {
  /** Base58. */
  readonly peerId: string;
  /** Multiaddrs, as bytes. */
  readonly addresses: readonly Uint8Array[];
}

/** Bounds of a list of peers. */
export const PEER_LIST_LIMITS = {
  /** Most peers. */
  peers: 1_024,
  /** Most addresses of one. */
  addresses: 8,
  /** Longest peer id and longest address, bytes. */
  item: 255,
  /** Longest list, bytes. */
  bytes: 1024 * 1024,
} as const;

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });

/** The bytes of a list of peers; what is beyond its bounds is left out. */
export function encodePeers(peers: readonly KnownPeer[]): Bytes {
  const { item, bytes } = PEER_LIST_LIMITS;
  const parts: Uint8Array[] = [];
  let [count, length] = [0, 2];
  for (const { peerId, addresses } of peers) {
    const id = utf8.encode(peerId);
    const few = addresses.filter((address) => address.length <= item)
      .slice(0, PEER_LIST_LIMITS.addresses);
    const entry = concat(
      Uint8Array.of(id.length),
      id,
      Uint8Array.of(few.length),
      ...few.flatMap((each) => [Uint8Array.of(each.length), each]),
    );
    length += entry.length;
    if (count >= PEER_LIST_LIMITS.peers || length > bytes) break;
    parts.push(entry);
    count++;
  }
  return concat(Uint8Array.of(count >> 8, count & 255), ...parts);
}

/**
 * The peers of a list.
 *
 * @throws {NetworkError} `PEER_LIST_INVALID` for anything that is not exactly one.
 */
export function decodePeers(bytes: Uint8Array): KnownPeer[] {
  let at = 0;
  const take = (length: number) => {
    if (length > bytes.length - at) throw invalid("It ends within a part.");
    at += length;
    return bytes.slice(at - length, at);
  };
  const size = () => take(1)[0] as number;
  const [high = 0, low = 0] = take(2);
  const count = 256 * high + low;
  if (count > PEER_LIST_LIMITS.peers) throw invalid("It has too many peers.");
  const peers = Array.from({ length: count }, () => {
    const id = take(size());
    const addresses = size();
    if (addresses > PEER_LIST_LIMITS.addresses) {
      throw invalid("A peer has too many addresses.");
    }
    return {
      peerId: asText(id),
      addresses: Array.from({ length: addresses }, () => take(size())),
    };
  });
  if (at !== bytes.length) throw invalid("Something follows it.");
  return peers;
}

function asText(bytes: Uint8Array): string {
  try {
    return text.decode(bytes);
  } catch (cause) {
    throw invalid("A peer id is no text.", cause);
  }
}

function invalid(why: string, cause?: unknown): NetworkError {
  return new NetworkError(
    "PEER_LIST_INVALID",
    `A list of peers cannot be read: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
