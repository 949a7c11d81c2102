import type { EpochPosition } from "../chain/epoch.ts";
import type { NodeClass, NodeScore } from "../chain/types.ts";
import type { Phase } from "./phases.ts";

/** How a subnet stands; `waiting` is active, but from a later network epoch on. */
export type SubnetStanding =
  | "missing"
  | "registered"
  | "waiting"
  | "active"
  | "paused";

/** Our node, as far as decisions need it. */
export interface ObservedNode {
  /** Its id. */
  readonly id: number;
  /** Its class. */
  readonly nodeClass: NodeClass;
  /** The subnet epoch from which the class counts. */
  readonly startEpoch: number;
}

/** A change of the queue that a proposal carries. */
export interface QueueChange {
  /** A queued node to activate next. */
  readonly prioritize?: number;
  /** A queued node to remove. */
  readonly remove?: number;
}

/** The epoch's proposal, as far as decisions need it. */
export interface ObservedSubmission {
  /** The node that proposed. */
  readonly validatorId: number;
  /** Whether our node attested; the proposer has. */
  readonly attested: boolean;
  /** The scores, in their canonical order. */
  readonly scores: readonly NodeScore[];
  /** Whether it leaves the queue alone, and if not, what our policy says. */
  readonly queue: "unchanged" | "accepted" | "refused";
}

/** What the chain says at one block, and where we stand. */
export interface Observation {
  /** The block's number. */
  readonly block: number;
  /** How the subnet stands. */
  readonly subnet: SubnetStanding;
  /** Where the block lies. */
  readonly position: EpochPosition;
  /** What the epoch is for now. */
  readonly phase: Phase;
  /** Whether our node is connected to the mesh. */
  readonly joined: boolean;
  /** Whether it was at the block before, too, so that what it reads is whole. */
  readonly settled: boolean;
  /** Our node. */
  readonly node?: ObservedNode;
  /** The node elected for the epoch. */
  readonly elected?: number;
  /** The epoch's proposal. */
  readonly submission?: ObservedSubmission;
  /** Whether our node is among those who may attest. */
  readonly mayAttest: boolean;
}
