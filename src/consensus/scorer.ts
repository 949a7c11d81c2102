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
  /**
   * Until when, in DHT time, a node that vanished must have been known: sooner,
   * and some would not have read it any more. For {@linkcode wasOnline}.
   */
  readonly heardUntil: number;
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

/**
 * Whether a heartbeat says that its node was online at a DHT time.
 *
 * A heartbeat that ends cannot be read any more, so that one who vanished
 * counts only when known until `heardUntil`: then all who read by then agree.
 * Who leaves in good order says when, and that can be read later, too.
 */
export function wasOnline(
  { info, expiration }: LiveNode,
  at: number,
  heardUntil: number = at,
): boolean {
  const { before, onlineSince } = info;
  if (before !== undefined && before.since <= at) {
    if ((before.left ? at : heardUntil) < before.until) return true;
  }
  if (info.state !== "offline" && expiration <= heardUntil) return false;
  if (expiration <= at) return false;
  // A node that joins anew says since when only if it never was away.
  const since = onlineSince ?? (info.state === "online" ? 0 : Infinity);
  if (since > at) return false;
  return info.state !== "offline" || (info.offlineSince ?? 0) > at;
}
