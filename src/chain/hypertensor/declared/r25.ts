import type { Bootnode } from "./answers.ts";
import { listOf, option, readShape, utf8, variant } from "./kinds.ts";
import type { DeclaredLayout } from "./layout.ts";
import {
  NODE_HEAD,
  NODE_TAIL,
  SUBNET_HEAD,
  SUBNET_MIDDLE,
  SUBNET_TAIL,
} from "./shapes.ts";

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

/** The answers of December 2025. */
export const R25: DeclaredLayout = {
  shapes: {
    SubnetInfo: SUBNET,
    SubnetNodeInfo: NODE,
    AllSubnetBootnodes: BOOTNODES,
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
  bootnodes: (value) => {
    const { bootnodes, nodeBootnodes } = readShape(BOOTNODES, value);
    return {
      subnet: bootnodes.map(bootnode),
      nodes: nodeBootnodes.map(bootnode),
      queued: [],
    };
  },
};
