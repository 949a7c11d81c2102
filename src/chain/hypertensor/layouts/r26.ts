import { multiaddr } from "@multiformats/multiaddr";
import type { PeerInfo } from "../../types.ts";
import { addressText, optional } from "../fields.ts";
import type { BootnodeInput, PeerInput } from "../plans/inputs.ts";
import type { Bootnode } from "../declared/answers.ts";
import { CallInputError, textHex } from "../declared/call_input.ts";
import {
  accountId,
  type Kind,
  option,
  pairsOf,
  readShape,
  structure,
  u128,
  utf8,
} from "../declared/kinds.ts";
import { nodeTerms, subnetData } from "./common_args.ts";
import type { LayoutRules } from "./layout.ts";
import {
  COMMON_SHAPES,
  NODE_HEAD,
  NODE_TAIL,
  SUBNET_HEAD,
  SUBNET_MIDDLE,
  SUBNET_TAIL,
} from "../declared/shapes.ts";

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

function addressHex(text: string): string {
  return `0x${multiaddr(text).bytes.toHex()}`;
}

function peerArgs({ peerId, multiaddr }: PeerInput) {
  return {
    peer_id: textHex(peerId),
    multiaddr: multiaddr === undefined ? null : addressHex(multiaddr),
  };
}

function bootnodeMap(
  bootnodes: readonly BootnodeInput[],
): Map<string, string> {
  return new Map(bootnodes.map(({ peerId, multiaddr }) => [
    textHex(peerId),
    addressHex(multiaddr),
  ]));
}

/** February 2026: peers with binary addresses of their own. */
export const R26: LayoutRules = {
  nodeFields: ["hotkey", "peer_info"],
  peers: (node) => ({
    peer: peer.read(node["peerInfo"]),
    bootnode: optional(node["bootnodePeerInfo"], peer.read),
    client: optional(node["clientPeerInfo"], peer.read),
  }),
  address: addressText,
  bootnodes: "subnetBootnodes",
  proofOfStakeTail: ["Option<u128>"],
  shapes: {
    SubnetInfo: SUBNET,
    SubnetNodeInfo: NODE,
    AllSubnetBootnodes: BOOTNODES,
    ...COMMON_SHAPES,
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
  allBootnodes: (value) => {
    const lists = readShape(BOOTNODES, value);
    return {
      subnet: lists.subnetBootnodes.map(bootnode),
      nodes: lists.nodeBootnodes.map(bootnode),
      queued: lists.registeredBootnodes.map(bootnode),
    };
  },
  addressOwners: "multiaddrSubnetNodeId",
  addressHex,
  bootnodeKey: ({ peerId }) => peerId,
  registerNode: (input) => ({
    subnet_id: input.subnetId,
    hotkey: input.hotkey,
    peer_info: peerArgs(input.peer),
    bootnode_peer_info: input.bootnode ? peerArgs(input.bootnode) : null,
    client_peer_info: input.client ? peerArgs(input.client) : null,
    delegate_account: input.delegateAccount
      ? {
        account_id: input.delegateAccount.accountId,
        rate: input.delegateAccount.rate,
      }
      : null,
    ...nodeTerms(input),
  }),
  registerSubnet: (input) => {
    if (input.keyTypes.length > 0) {
      throw new CallInputError(
        "This chain does not limit the kinds of keys of peers.",
        "Leave --key-type away.",
      );
    }
    return {
      max_cost: input.maxCost,
      subnet_data: {
        ...subnetData(input),
        bootnodes: bootnodeMap(input.bootnodes),
      },
    };
  },
  updateBootnodes: ({ subnetId, add, remove }) => ({
    subnet_id: subnetId,
    add: bootnodeMap(add),
    remove: remove.map(textHex),
  }),
};
