import { multiaddr } from "@multiformats/multiaddr";
import type {
  BootnodeInput,
  PeerInput,
} from "../../chain/hypertensor/plans/inputs.ts";
import { parsePeerId } from "../../network/addresses.ts";
import { usageError } from "../args.ts";

/** Parts of an address that the chain takes. */
const PARTS = [
  ...["ip4", "ip6", "dns4", "dns6", "dnsaddr", "tcp", "udp", "ws", "wss"],
  "p2p",
];
/** Longest byte string that the chain takes. */
const MAX_BYTES = 1_024;

/**
 * A peer id that the chain and the mesh both take: base58 of an Ed25519 or RSA
 * key. The chain itself would take nearly anything, and keep it for ever.
 *
 * @throws {MeshError}
 */
export function checkPeerId(text: string): string {
  const peer = parsePeerId(text);
  if (peer.type !== "Ed25519" && peer.type !== "RSA") {
    throw usageError(
      `The peer id ${text} is that of a ${peer.type} key.`,
      "Peers of a mesh have Ed25519 or RSA keys: `meshnode key generate`.",
    );
  }
  // Other forms name the same peer, but the chain compares texts.
  const base58 = peer.toString();
  if (base58 === text) return text;
  throw usageError(
    `The peer id "${text}" is in another form than peers use.`,
    `Write ${base58}.`,
  );
}

/** An address of a peer that the chain takes. @throws {MeshError} */
export function checkAddress(text: string, peerId: string): string {
  let parts: readonly { readonly name: string; readonly value?: string }[];
  let length: number;
  try {
    const address = multiaddr(text);
    parts = address.getComponents();
    length = address.bytes.length;
  } catch {
    throw usageError(
      `"${text}" is not an address.`,
      "An address looks like /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW….",
    );
  }
  const wrong = parts.find(({ name }) => !PARTS.includes(name));
  if (wrong !== undefined) {
    throw usageError(
      `The chain takes no address with /${wrong.name}, as in ${text}.`,
      `It knows ${PARTS.map((each) => `/${each}`).join(", ")}.`,
    );
  }
  const last = parts.at(-1);
  if (last?.name !== "p2p") {
    throw usageError(
      `The address ${text} does not end with its peer.`,
      `Append /p2p/${peerId}.`,
    );
  }
  if (last.value !== peerId) {
    throw usageError(
      `The address ${text} is that of another peer than ${peerId}.`,
      "Give the address of the same peer.",
    );
  }
  if (length <= MAX_BYTES) return text;
  throw usageError(
    `The address ${text} is longer than the chain takes.`,
    `It takes ${MAX_BYTES} bytes.`,
  );
}

/** A peer by its id or its address, or by both. @throws {MeshError} */
export function peerOf(
  name: string,
  peerId: string | undefined,
  address: string | undefined,
): PeerInput | undefined {
  if (peerId === undefined && address === undefined) return undefined;
  const id = checkPeerId(peerId ?? peerIn(name, address as string));
  return {
    peerId: id,
    ...(address === undefined ? {} : { multiaddr: checkAddress(address, id) }),
  };
}

/** A bootnode by its address. @throws {MeshError} */
export function bootnodeOf(address: string): BootnodeInput {
  const peerId = checkPeerId(peerIn("bootnode", address));
  return { peerId, multiaddr: checkAddress(address, peerId) };
}

function peerIn(name: string, address: string): string {
  const peerId = /\/p2p\/([^/]+)$/.exec(address)?.[1];
  if (peerId !== undefined) return peerId;
  throw usageError(
    `The address ${address} does not say whose it is.`,
    `Append /p2p/ and the peer id of the ${name}.`,
  );
}
