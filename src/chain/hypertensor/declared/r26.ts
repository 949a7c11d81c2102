import type { PeerInfo } from "../../types.ts";
import { addressText } from "../fields.ts";
import type { Bootnode } from "./answers.ts";
import {
  accountId,
  type Kind,
  option,
  pairsOf,
  readShape,
  structure,
  u128,
  utf8,
} from "./kinds.ts";
import type { DeclaredLayout } from "./layout.ts";
import {
  NODE_HEAD,
  NODE_TAIL,
  SUBNET_HEAD,
  SUBNET_MIDDLE,
  SUBNET_TAIL,
} from "./shapes.ts";

/** The chain checks addresses, but may know parts that we do not. */
const address: Kind<string | undefined> = { type: "Bytes", read: addressText };

const peer: Kind<PeerInfo> = structure("PalletNetworkPeerInfo", {
  peerId: utf8,
  multiaddr: option(address),
});

const SUBNET = {
  ...SUBNET_HEAD,
  ...SUBNET_MIDDLE,
  bootnodes: pairsOf(utf8, address),
  ...SUBNET_TAIL,
} as const;

const NODE = {
  ...NODE_HEAD,
  peerInfo: peer,
  bootnodePeerInfo: option(peer),
  clientPeerInfo: option(peer),
  delegateAccount: option(
    structure("PalletNetworkDelegateAccount", { accountId, rate: u128 }),
  ),
  ...NODE_TAIL,
} as const;

const BOOTNODES = {
  subnetBootnodes: pairsOf(utf8, address),
  nodeBootnodes: pairsOf(utf8, option(address)),
  registeredBootnodes: pairsOf(utf8, option(address)),
} as const;

const bootnode = (
  [peerId, multiaddr]: readonly [string, string | undefined],
): Bootnode => ({ peerId, multiaddr });

/** The answers of February 2026. */
export const R26: DeclaredLayout = {
  shapes: {
    SubnetInfo: SUBNET,
    SubnetNodeInfo: NODE,
    AllSubnetBootnodes: BOOTNODES,
  },
  subnet: (value) => {
    const { bootnodes, ...rest } = readShape(SUBNET, value);
    return {
      ...rest,
      keyTypes: undefined,
      bootnodes: bootnodes.map(bootnode),
    };
  },
  node: (value) => {
    const { peerInfo, bootnodePeerInfo, clientPeerInfo, ...rest } = readShape(
      NODE,
      value,
    );
    return {
      ...rest,
      peer: peerInfo,
      bootnode: bootnodePeerInfo,
      client: clientPeerInfo,
    };
  },
  bootnodes: (value) => {
    const lists = readShape(BOOTNODES, value);
    return {
      subnet: lists.subnetBootnodes.map(bootnode),
      nodes: lists.nodeBootnodes.map(bootnode),
      queued: lists.registeredBootnodes.map(bootnode),
    };
  },
};
