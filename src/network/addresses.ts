import { peerIdFromString } from "@libp2p/peer-id";
import type { PeerId } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { NetworkError } from "./errors.ts";

/**
 * Reads a base58 peer id.
 *
 * @throws {NetworkError} `PEER_ID_INVALID`.
 */
export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text);
  } catch (cause) {
    throw new NetworkError("PEER_ID_INVALID", `"${text}" is not a peer id.`, {
      cause,
      hint: "A peer id looks like 12D3KooW… (or Qm… for RSA keys).",
    });
  }
}

/**
 * Reads a multiaddr.
 *
 * @throws {NetworkError} `ADDRESS_INVALID`.
 */
export function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch (cause) {
    throw new NetworkError("ADDRESS_INVALID", `"${text}" is not an address.`, {
      cause,
      hint: "An address looks like /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW….",
    });
  }
}

/**
 * Reads a multiaddr that names its peer.
 *
 * @throws {NetworkError} `ADDRESS_INVALID` also when the peer is missing.
 */
export function parsePeerAddress(
  text: string,
): { readonly peerId: string; readonly address: string } {
  const peer = parseAddress(text).getComponents().findLast(({ name }) =>
    name === "p2p"
  )?.value;
  if (peer === undefined) {
    throw new NetworkError(
      "ADDRESS_INVALID",
      `The address ${text} does not say whose it is.`,
      { hint: "Append /p2p/ and the peer id." },
    );
  }
  return { peerId: parsePeerId(peer).toString(), address: text };
}
