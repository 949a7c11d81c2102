import type { PeerInfo } from "../../types.ts";
import { optional, text } from "../fields.ts";
import type { Bootnode } from "../declared/answers.ts";
import {
  CallInputError,
  optionalHex,
  textHex,
} from "../declared/call_input.ts";
import { listOf, option, readShape, utf8, variant } from "../declared/kinds.ts";
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

const SUBNET = {
  ...SUBNET_HEAD,
  keyTypes: listOf(
    variant(
      "PalletNetworkKeyType",
      ["rsa", "ed25519", "secp256k1", "ecdsa"] as const,
    ),
  ),
  ...SUBNET_MIDDLE,
  bootnodes: listOf(utf8),
  ...SUBNET_TAIL,
} as const;

const NODE = {
  ...NODE_HEAD,
  peerId: utf8,
  bootnodePeerId: utf8,
  clientPeerId: utf8,
  bootnode: option(utf8),
  ...NODE_TAIL,
} as const;

const BOOTNODES = {
  bootnodes: listOf(utf8),
  nodeBootnodes: listOf(utf8),
} as const;

/** There a bootnode is the text of its address. */
const bootnode = (multiaddr: string): Bootnode => ({
  peerId: /\/p2p\/([^/]+)$/.exec(multiaddr)?.[1],
  multiaddr,
});

/** Names of the chain's kinds of keys. */
const KEY_TYPES: Readonly<Record<string, string>> = {
  rsa: "Rsa",
  ed25519: "Ed25519",
  secp256k1: "Secp256k1",
  ecdsa: "Ecdsa",
};

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
  shapes: {
    SubnetInfo: SUBNET,
    SubnetNodeInfo: NODE,
    AllSubnetBootnodes: BOOTNODES,
    ...COMMON_SHAPES,
  },
  subnet: (value) => {
    const { bootnodes, ...rest } = readShape(SUBNET, value);
    return { ...rest, bootnodes: bootnodes.map(bootnode) };
  },
  node: (value) => {
    const { peerId, bootnodePeerId, clientPeerId, bootnode, ...rest } =
      readShape(NODE, value);
    return {
      ...rest,
      peer: { peerId, multiaddr: undefined },
      bootnode: { peerId: bootnodePeerId, multiaddr: bootnode },
      client: { peerId: clientPeerId, multiaddr: undefined },
      delegateAccount: undefined,
    };
  },
  allBootnodes: (value) => {
    const { bootnodes, nodeBootnodes } = readShape(BOOTNODES, value);
    return {
      subnet: bootnodes.map(bootnode),
      nodes: nodeBootnodes.map(bootnode),
      queued: [],
    };
  },
  addressOwners: "bootnodeSubnetNodeId",
  addressHex: textHex,
  bootnodeKey: ({ multiaddr }) => multiaddr,
  registerNode: (input) => {
    const { bootnode, client, peer } = input;
    if (bootnode === undefined || client === undefined) {
      throw new CallInputError(
        "On this chain a node has three peers.",
        "Give --bootnode-peer-id and --client-peer-id too; they must differ.",
      );
    }
    if (peer.multiaddr !== undefined || client.multiaddr !== undefined) {
      throw new CallInputError(
        "This chain keeps an address for the bootnode's peer only.",
        "Leave --multiaddr and --client-multiaddr away.",
      );
    }
    if (input.delegateAccount !== undefined) {
      throw new CallInputError(
        "On this chain no account can share in a node's rewards.",
        "Leave --delegate-account away.",
      );
    }
    return {
      subnet_id: input.subnetId,
      hotkey: input.hotkey,
      peer_id: textHex(peer.peerId),
      bootnode_peer_id: textHex(bootnode.peerId),
      client_peer_id: textHex(client.peerId),
      bootnode: optionalHex(bootnode.multiaddr),
      ...nodeTerms(input),
    };
  },
  registerSubnet: (input) => {
    const keyTypes = input.keyTypes.map((each) => KEY_TYPES[each]);
    if (keyTypes.length === 0 || keyTypes.includes(undefined)) {
      throw new CallInputError(
        "On this chain a subnet names the kinds of keys that its peers have.",
        `Give --key-type, once for each of ${
          Object.keys(KEY_TYPES).join(", ")
        }.`,
      );
    }
    return {
      max_cost: input.maxCost,
      subnet_data: {
        ...subnetData(input),
        key_types: keyTypes,
        bootnodes: input.bootnodes.map(({ multiaddr }) => textHex(multiaddr)),
      },
    };
  },
  updateBootnodes: ({ subnetId, add, remove }) => ({
    subnet_id: subnetId,
    add: add.map(({ multiaddr }) => textHex(multiaddr)),
    remove: remove.map(textHex),
  }),
};
