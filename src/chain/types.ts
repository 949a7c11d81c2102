/** 1e18: the chain's 100 %, and a full score. */
export const ONE = 10n ** 18n;

/** Node classes in ascending order; the index is the chain's number. */
export const NODE_CLASSES = [
  "registered",
  "idle",
  "included",
  "validator",
] as const;

/** How far a node has come: a higher class may do all that a lower one may. */
export type NodeClass = typeof NODE_CLASSES[number];

/** Whether a class is at least another one. */
export function atLeast(nodeClass: NodeClass, minimum: NodeClass): boolean {
  return NODE_CLASSES.indexOf(nodeClass) >= NODE_CLASSES.indexOf(minimum);
}

/** A block. */
export interface BlockRef {
  /** Its height. */
  readonly number: number;
  /** Its hash, lower-case hex with `0x`. */
  readonly hash: string;
}

/** What never changes while a chain is connected. */
export interface ChainConstants {
  /** Blocks in an epoch. */
  readonly epochLength: number;
  /** Milliseconds between blocks. */
  readonly blockMilliseconds: number;
  /** The genesis hash: the chain's identity. */
  readonly genesis: string;
}

/** Life of a subnet. */
export type SubnetState = "registered" | "active" | "paused";

/** A subnet. */
export interface SubnetInfo {
  /** Its id. */
  readonly id: number;
  /** Its unique name. */
  readonly name: string;
  /** Only active subnets reach consensus. */
  readonly state: SubnetState;
  /** The *network* epoch from which it is active. */
  readonly startEpoch: number;
  /** Its block offset in a network epoch; absent before activation is set up. */
  readonly slot: number | undefined;
  /** Least stake of a node, base units. */
  readonly minStake: bigint;
}

/** A peer id of a node, with the address it published. */
export interface PeerInfo {
  /** Base58. */
  readonly peerId: string;
  /** Text form. */
  readonly multiaddr: string | undefined;
}

/** A node of a subnet. */
export interface SubnetNodeInfo {
  /** Its id in the subnet. */
  readonly id: number;
  /** The account that signs consensus calls, lower-case hex with `0x`. */
  readonly hotkey: string;
  /** The account that owns the node. */
  readonly coldkey: string;
  /** The peer that works in the mesh. */
  readonly peer: PeerInfo;
  /** The peer that serves as a bootnode. */
  readonly bootnode: PeerInfo | undefined;
  /** The peer that acts as a client. */
  readonly client: PeerInfo | undefined;
  /** Its class. */
  readonly nodeClass: NodeClass;
  /** The *subnet* epoch from which the class counts. */
  readonly startEpoch: number;
  /** Base units. */
  readonly stake: bigint;
  /** 1e18 is full. */
  readonly reputation: bigint;
}

/** A node's score in a proposal. */
export interface NodeScore {
  /** The subnet node's id. */
  readonly nodeId: number;
  /** u128; {@linkcode ONE} is the usual full score. */
  readonly score: bigint;
}

/** One node's attestation. */
export interface Attestation {
  /** The block that includes it. */
  readonly block: number;
  /** Data attached by the attestor. */
  readonly data: Uint8Array | undefined;
}

/** A proposal on the chain. */
export interface ConsensusSubmission {
  /** The node that proposed. */
  readonly validatorId: number;
  /** The block that includes it. */
  readonly block: number;
  /** Attestations by node id; the proposer is the first. */
  readonly attestations: ReadonlyMap<number, Attestation>;
  /** The scores, in the order submitted. */
  readonly scores: readonly NodeScore[];
  /** Ids of the nodes of class Validator at the time of the proposal. */
  readonly electorate: readonly number[];
  /** A queued node to activate next. */
  readonly prioritizeQueueNodeId: number | undefined;
  /** A queued node to remove. */
  readonly removeQueueNodeId: number | undefined;
}

/** A bootnode that the subnet itself names. */
export interface SubnetBootnode {
  /** Base58. */
  readonly peerId: string;
  /** Text form. */
  readonly multiaddr: string;
}
