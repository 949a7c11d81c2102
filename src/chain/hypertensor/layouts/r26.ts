import type { PeerInfo } from "../../types.ts";
import { addressText, fieldsOf, optional, text } from "../fields.ts";
import type { LayoutRules } from "./layout.ts";

/** February 2026: peers with binary addresses of their own. */
export const R26: LayoutRules = {
  nodeFields: ["hotkey", "peer_info"],
  peers: (node) => ({
    peer: peerInfo(node["peerInfo"]),
    bootnode: optional(node["bootnodePeerInfo"], peerInfo),
    client: optional(node["clientPeerInfo"], peerInfo),
  }),
  address: addressText,
  bootnodes: "subnetBootnodes",
  proofOfStakeTail: ["Option<u128>"],
};

function peerInfo(value: unknown): PeerInfo {
  const { peerId, multiaddr: binary } = fieldsOf(value);
  return { peerId: text(peerId), multiaddr: optional(binary, addressText) };
}
