import type { PeerInfo } from "../../types.ts";
import { optional, text } from "../fields.ts";
import type { LayoutRules } from "./layout.ts";

/** December 2025: three bare peer ids, one address, as text. */
export const R25: LayoutRules = {
  nodeFields: ["hotkey", "peer_id", "bootnode_peer_id", "client_peer_id"],
  peers(node) {
    const alone = (peerId: unknown): PeerInfo => ({
      peerId: text(peerId),
      multiaddr: undefined,
    });
    return {
      peer: alone(node["peerId"]),
      // An address is text by convention, and belongs to the bootnode.
      bootnode: {
        ...alone(node["bootnodePeerId"]),
        multiaddr: optional(node["bootnode"], text),
      },
      client: alone(node["clientPeerId"]),
    };
  },
  address: text,
  bootnodes: "subnetBootnodesV2",
  proofOfStakeTail: [],
};
