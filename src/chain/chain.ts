import type {
  BlockRef,
  ChainConstants,
  ConsensusSubmission,
  NodeClass,
  NodeScore,
  SubnetBootnode,
  SubnetInfo,
  SubnetNodeInfo,
} from "./types.ts";

/** What every read takes. */
export interface ReadOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a node reads at one block, so that the answers agree with each other.
 *
 * `undefined` means that the chain says "there is none". What could not be
 * read is a {@linkcode ChainUnreadableError}, never `undefined`.
 */
export interface ChainView {
  /** The block that all answers belong to. */
  readonly block: BlockRef;
  /**
   * Whether the answers are what an earlier run was told, since the chain was
   * not reached yet. Enough to know who the members were; not to vote by.
   */
  readonly stale: boolean;
  /** The block's own time, in milliseconds of the Unix epoch. */
  time(options?: ReadOptions): Promise<number>;
  /** The subnet, with its slot and limits. */
  subnet(
    subnetId: number,
    options?: ReadOptions,
  ): Promise<SubnetInfo | undefined>;
  /** All nodes of a subnet, queued ones included, ascending by id. */
  nodes(
    subnetId: number,
    options?: ReadOptions,
  ): Promise<readonly SubnetNodeInfo[]>;
  /** The node that a hotkey signs for. */
  nodeOfHotkey(
    subnetId: number,
    hotkey: string,
    options?: ReadOptions,
  ): Promise<SubnetNodeInfo | undefined>;
  /** The node elected for a subnet epoch; absent before its first block. */
  electedValidator(
    subnetId: number,
    subnetEpoch: number,
    options?: ReadOptions,
  ): Promise<number | undefined>;
  /** What was proposed for a subnet epoch, with the attestations so far. */
  submission(
    subnetId: number,
    subnetEpoch: number,
    options?: ReadOptions,
  ): Promise<ConsensusSubmission | undefined>;
  /** Ids of the nodes that may attest. */
  attestors(
    subnetId: number,
    options?: ReadOptions,
  ): Promise<readonly number[]>;
  /** The subnet's own bootnodes. */
  bootnodes(
    subnetId: number,
    options?: ReadOptions,
  ): Promise<readonly SubnetBootnode[]>;
  /**
   * Whether a peer id has stake in the subnet: through a node of at least
   * `minClass` that has started, an overwatch node, or as a subnet bootnode.
   */
  proofOfStake(
    subnetId: number,
    peerId: string,
    minClass: NodeClass,
    options?: ReadOptions,
  ): Promise<boolean>;
  /** The free balance of an account, in base units. */
  balance(account: string, options?: ReadOptions): Promise<bigint>;
}

/** Options of a write. */
export interface WriteOptions extends ReadOptions {
  /** The last block in which the call may still be included. */
  readonly notAfter?: number;
}

/** A call that was included and succeeded. */
export interface Receipt {
  /** The block that includes it. */
  readonly block: BlockRef;
}

/** A proposal for the present subnet epoch. */
export interface Proposal {
  /** The subnet. */
  readonly subnetId: number;
  /** The scores; may be empty. */
  readonly scores: readonly NodeScore[];
  /** A queued node to activate next. */
  readonly prioritizeQueueNodeId?: number;
  /** A queued node to remove. */
  readonly removeQueueNodeId?: number;
}

/** Calls signed by one hotkey. One call is under way at a time. */
export interface ChainSigner {
  /** The hotkey's account, lower-case hex with `0x`. */
  readonly hotkey: string;
  /**
   * Proposes the scores of the present subnet epoch.
   *
   * @throws {ChainCallError} when the chain refuses, by the name of its error.
   * @throws {ChainSubmitError} when it is unknown whether the call is in.
   */
  propose(proposal: Proposal, options?: WriteOptions): Promise<Receipt>;
  /**
   * Attests the proposal of the present subnet epoch; errors as above.
   */
  attest(subnetId: number, options?: WriteOptions): Promise<Receipt>;
}

/** A chain, as a subnet node needs it. */
export interface Chain {
  /** What never changes while connected. */
  constants(options?: ReadOptions): Promise<ChainConstants>;
  /** The best block now. */
  head(options?: ReadOptions): Promise<BlockRef>;
  /**
   * Best blocks as they come, at least the newest; numbers may be skipped.
   * Ends when the signal is aborted or the chain is closed.
   */
  heads(signal: AbortSignal): AsyncIterable<BlockRef>;
  /**
   * The block of a height, if the chain can tell; absent while it is not there
   * yet. Who needs a block's own time asks here.
   */
  blockAt?(
    number: number,
    options?: ReadOptions,
  ): Promise<BlockRef | undefined>;
  /** Reads at one block; the best one by default. */
  view(block?: BlockRef, options?: ReadOptions): Promise<ChainView>;
  /** Lets go of connections and files; waits for what is under way. */
  close(): Promise<void>;
}
