import { type Bytes, concat } from "../core/bytes.ts";
import { NetworkError } from "./errors.ts";
import { PEER_LIST_LIMITS } from "./peer_list.ts";

/** What a peer says of itself, and what it wants. */
export interface Greeting {
  /** Whether it says who it is; it asks for peers only otherwise. */
  readonly introduces: boolean;
  /** Whether it is a member: others call it, and choose it to hold records. */
  readonly member: boolean;
  /** Whether it wants to hear which peers the other knows. */
  readonly asks: boolean;
  /** Multiaddrs at which it can be reached, as bytes. */
  readonly addresses: readonly Uint8Array[];
}

/** Longest greeting, bytes. */
export const MAX_GREETING = 2 + 8 * 256;

const INTRODUCES = 1;
const MEMBER = 2;
const ASKS = 4;

/**
 * The bytes of a greeting: its flags, the number of addresses, and each of them
 * after its length. Addresses beyond the bounds are left out.
 */
export function encodeGreeting(greeting: Greeting): Bytes {
  const addresses = greeting.addresses
    .filter(({ length }) => length <= PEER_LIST_LIMITS.item)
    .slice(0, PEER_LIST_LIMITS.addresses);
  const flags = (greeting.introduces ? INTRODUCES : 0) |
    (greeting.member ? MEMBER : 0) | (greeting.asks ? ASKS : 0);
  return concat(
    Uint8Array.of(flags, addresses.length),
    ...addresses.flatMap((each) => [Uint8Array.of(each.length), each]),
  );
}

/**
 * The greeting with which the bytes begin and what follows it, or `undefined`
 * while it is not whole.
 *
 * @throws {NetworkError} `GREETING_INVALID`
 */
export function decodeGreeting(
  bytes: Uint8Array,
): { readonly greeting: Greeting; readonly rest: Uint8Array } | undefined {
  const [flags, count] = bytes;
  if (flags === undefined) return undefined;
  if (flags > (INTRODUCES | MEMBER | ASKS)) {
    throw invalid("It has unknown flags.");
  }
  if (count === undefined) return undefined;
  if (count > PEER_LIST_LIMITS.addresses) {
    throw invalid("It has too many addresses.");
  }
  const addresses: Uint8Array[] = [];
  let at = 2;
  for (let i = 0; i < count; i++) {
    const length = bytes[at++];
    if (length === undefined || at + length > bytes.length) return undefined;
    addresses.push(bytes.slice(at, at += length));
  }
  const greeting = {
    introduces: (flags & INTRODUCES) !== 0,
    member: (flags & MEMBER) !== 0,
    asks: (flags & ASKS) !== 0,
    addresses,
  };
  return { greeting, rest: bytes.subarray(at) };
}

function invalid(why: string): NetworkError {
  return new NetworkError(
    "GREETING_INVALID",
    `A peer's greeting cannot be read: ${why}`,
  );
}
