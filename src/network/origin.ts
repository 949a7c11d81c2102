import type { Multiaddr } from "@multiformats/multiaddr";

/** Where a connection comes from, as far as its sender cannot choose it freely. */
export interface Origin {
  /** The IPv4 address, or the /64 that an IPv6 host can choose its address in. */
  readonly group: string;
  /** Whether it is this machine. */
  readonly loopback: boolean;
}

/** Connections without an address of their own share one group. */
const ELSEWHERE: Origin = { group: "elsewhere", loopback: false };

/** The origin of a connection from a remote address. */
export function originOf(address: Multiaddr): Origin {
  // Behind a relay, the first address is the relay's: all that is certain.
  for (const { name, value } of address.getComponents()) {
    if (name === "ip4" && value !== undefined) return ofIpv4(value);
    if (name === "ip6" && value !== undefined) return ofIpv6(value);
  }
  return ELSEWHERE;
}

/** The part of the network that an origin's group is in: a /24 of IPv4, or the /64 itself. */
export function networkOf(group: string): string {
  const [, front] = /^(\d+\.\d+\.\d+)\.\d+$/.exec(group) ?? [];
  return front === undefined ? group : `${front}.0/24`;
}

function ofIpv4(text: string): Origin {
  return { group: text, loopback: text.startsWith("127.") };
}

function ofIpv6(text: string): Origin {
  const words = wordsOf(text);
  if (words === undefined) return ELSEWHERE;
  const zeros = words.slice(0, 5).every((word) => word === 0);
  const [high = 0, low = 0] = words.slice(6);
  // An IPv4 address in IPv6 form is the same host as in its own form.
  if (zeros && words[5] === 0xffff) {
    return ofIpv4([high >> 8, high & 255, low >> 8, low & 255].join("."));
  }
  const group = words.slice(0, 4).map((word) => word.toString(16)).join(":");
  const loopback = zeros && words[5] === 0 && high === 0 && low === 1;
  return { group: loopback ? "::1" : `${group}::/64`, loopback };
}

/** The eight words of an IPv6 address. */
function wordsOf(text: string): number[] | undefined {
  let plain: string;
  try {
    // Brings every form, an IPv4 address at the end included, into one.
    plain = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [left = "", right] = plain.split("::");
  const words = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => parseInt(word, 16));
  const [front, back] = [words(left), words(right ?? "")];
  const gap = new Array(8 - front.length - back.length).fill(0);
  return [...front, ...gap, ...back];
}
