import type { NodeScore, SubnetNodeInfo } from "../chain/types.ts";
import type { LiveNode } from "../heartbeat/directory.ts";
import type { QueueChange } from "./observation.ts";
import type { NodeWork } from "./node_work.ts";

/** What a scorer works on. */
export interface ScoringContext {
  /** The subnet epoch that the scores are proposed in. */
  readonly epoch: number;
  /**
   * The point in time that decides, in DHT time (Unix seconds): where the
   * scoring phase of the epoch before began. All nodes have the same.
   */
  readonly cutOff: number;
  /** The chain's nodes, with class and start epoch. */
  readonly nodes: readonly SubnetNodeInfo[];
  /** The heartbeats that were found; {@linkcode wasOnline} tells who was there at the cut-off. */
  readonly live: readonly LiveNode[];
  /** What was committed and revealed in the epoch before, ascending by peer id. */
  readonly work: readonly NodeWork[];
  /** What was proposed in the epoch before; absent when nothing was. */
  readonly previous: readonly NodeScore[] | undefined;
  /** Ends the work. */
  readonly signal: AbortSignal;
}

/** A subnet's own way of scoring its nodes. All nodes must come to the same. */
export interface Scorer {
  /** The scores of an epoch. */
  score(context: ScoringContext): Promise<readonly NodeScore[]>;
}

/** A subnet's own way with the queue of nodes that wait for activation. */
export interface QueuePolicy {
  /** What our proposal does to the queue; nothing by default. */
  propose?(context: ScoringContext): Promise<QueueChange>;
  /** Whether to attest a proposal that does this to the queue; all nodes must judge alike. */
  accepts?(
    change: QueueChange,
    nodes: readonly SubnetNodeInfo[],
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** Whether a heartbeat says that its node was online at a DHT time. */
export function wasOnline({ info, expiration }: LiveNode, at: number): boolean {
  const { before, onlineSince } = info;
  if (before !== undefined && before.since <= at && at < before.until) {
    return true;
  }
  if (expiration <= at) return false;
  // A node that joins anew says since when only if it never was away.
  const since = onlineSince ?? (info.state === "online" ? 0 : Infinity);
  if (since > at) return false;
  return info.state !== "offline" || (info.offlineSince ?? 0) > at;
}
