import type { PeerInfo } from "../../types.ts";
import type { Values } from "./kinds.ts";
import type {
  DELEGATE_STAKE,
  NODE_DELEGATE_STAKE,
  NODE_HEAD,
  NODE_TAIL,
  SUBNET_HEAD,
  SUBNET_MIDDLE,
  SUBNET_TAIL,
} from "./shapes.ts";

/** A bootnode as the chain names it; in R25 it is an address alone. */
export interface Bootnode {
  /** Base58. */
  readonly peerId: string | undefined;
  /** Text form; absent when the chain holds none that can be read. */
  readonly multiaddr: string | undefined;
}

/** All that the chain tells of a subnet. */
export type SubnetDetails =
  & Values<typeof SUBNET_HEAD>
  & Values<typeof SUBNET_MIDDLE>
  & Values<typeof SUBNET_TAIL>
  & {
    /** Kinds of keys that its peers may have, where the chain limits them. */
    readonly keyTypes: readonly string[] | undefined;
    /** The subnet's own bootnodes. */
    readonly bootnodes: readonly Bootnode[];
  };

/** An account that shares in the rewards of a node. */
export interface DelegateAccount {
  /** The account. */
  readonly accountId: string;
  /** Its share, by 1e18. */
  readonly rate: bigint;
}

/** All that the chain tells of a node. */
export type NodeDetails =
  & Values<typeof NODE_HEAD>
  & Values<typeof NODE_TAIL>
  & {
    /** The peer that works in the mesh. */
    readonly peer: PeerInfo;
    /** The peer that serves as a bootnode. */
    readonly bootnode: PeerInfo | undefined;
    /** The peer that acts as a client. */
    readonly client: PeerInfo | undefined;
    /** Who shares in its rewards. */
    readonly delegateAccount: DelegateAccount | undefined;
  };

/** All bootnodes of a subnet. */
export interface BootnodeLists {
  /** Those that the subnet names. */
  readonly subnet: readonly Bootnode[];
  /** Those of its active nodes. */
  readonly nodes: readonly Bootnode[];
  /** Those of its queued nodes. */
  readonly queued: readonly Bootnode[];
}

/** What an account delegated to a subnet: shares, and what they are worth. */
export type DelegateStake = Values<typeof DELEGATE_STAKE>;

/** What an account delegated to a node: shares, and what they are worth. */
export type NodeDelegateStake = Values<typeof NODE_DELEGATE_STAKE>;
