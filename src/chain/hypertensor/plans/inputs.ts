/** A peer of a node, as its owner gives it. */
export interface PeerInput {
  /** Base58. */
  readonly peerId: string;
  /** Where it can be reached: its text, ending with `/p2p/` and the peer id. */
  readonly multiaddr?: string | undefined;
}

/** A bootnode of a subnet, as its owner gives it. */
export interface BootnodeInput {
  /** Base58. */
  readonly peerId: string;
  /** Where it can be reached. */
  readonly multiaddr: string;
}

/** A node to register. */
export interface NodeInput {
  /** The subnet. */
  readonly subnetId: number;
  /** The account that will sign consensus calls. */
  readonly hotkey: string;
  /** The peer that works in the mesh. */
  readonly peer: PeerInput;
  /** The peer that serves as a bootnode. */
  readonly bootnode?: PeerInput | undefined;
  /** The peer that acts as a client. */
  readonly client?: PeerInput | undefined;
  /** The share of its rewards for those who delegate to it, by 1e18. */
  readonly delegateRewardRate: bigint;
  /** Base units. */
  readonly stake: bigint;
  /** Data that no other node of the subnet has. */
  readonly unique?: string | undefined;
  /** Other data. */
  readonly nonUnique?: string | undefined;
  /** An account that shares in its rewards, and its share by 1e18. */
  readonly delegateAccount?: {
    readonly accountId: string;
    readonly rate: bigint;
  } | undefined;
  /** The most that may be burnt for the registration, base units. */
  readonly maxBurn: bigint;
}

/** A subnet to register. */
export interface SubnetInput {
  /** The most that its registration may cost, base units. */
  readonly maxCost: bigint;
  /** Unique. */
  readonly name: string;
  /** Where its code is; unique. */
  readonly repo: string;
  /** For people. */
  readonly description: string;
  /** Anything else. */
  readonly misc: string;
  /** Least stake of a node, base units. */
  readonly minStake: bigint;
  /** Most stake of a node, base units. */
  readonly maxStake: bigint;
  /** The share of rewards for those who delegate to the subnet, by 1e18. */
  readonly delegateShare: bigint;
  /** Who may register nodes before the activation, and how many. */
  readonly initialColdkeys: ReadonlyMap<string, number>;
  /** Kinds of keys that peers may have, where the chain limits them. */
  readonly keyTypes: readonly string[];
  /** Peers with addresses. */
  readonly bootnodes: readonly BootnodeInput[];
}

/** Changes of a subnet's bootnodes. */
export interface BootnodesInput {
  /** The subnet. */
  readonly subnetId: number;
  /** Peers with addresses. */
  readonly add: readonly BootnodeInput[];
  /** Peer ids; in R25 addresses. */
  readonly remove: readonly string[];
}
