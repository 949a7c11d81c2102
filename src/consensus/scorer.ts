import {
  atLeast,
  type NodeScore,
  ONE,
  type SubnetNodeInfo,
} from "../chain/types.ts";
import type { LiveNode } from "../heartbeat/directory.ts";

/** What a scorer works on. */
export interface ScoringContext {
  /** The subnet epoch to score. */
  readonly epoch: number;
  /**
   * The point in time that decides, in DHT time (Unix seconds): that of the
   * epoch's first block. All nodes have the same.
   */
  readonly cutOff: number;
  /** The chain's nodes, with class and start epoch. */
  readonly nodes: readonly SubnetNodeInfo[];
  /** The live heartbeats. */
  readonly live: readonly LiveNode[];
  /** Ends the work. */
  readonly signal: AbortSignal;
}

/** A subnet's own way of scoring its nodes. All nodes must come to the same. */
export interface Scorer {
  /** The scores of an epoch. */
  score(context: ScoringContext): Promise<readonly NodeScore[]>;
}

/**
 * A full score for everyone present, as the reference has it: nodes of class
 * Included or above that have started and were online at the cut-off. Who came
 * or left later changes nothing, so that it does not matter when a node reads.
 */
export class PresenceScorer implements Scorer {
  /** Scores by presence. */
  score({ epoch, cutOff, nodes, live }: ScoringContext): Promise<NodeScore[]> {
    const present = new Set(
      live.filter((node) => wasOnline(node, cutOff)).map(({ peerId }) =>
        peerId
      ),
    );
    return Promise.resolve(
      nodes.filter((node) =>
        atLeast(node.nodeClass, "included") && node.startEpoch <= epoch &&
        present.has(node.peer.peerId)
      ).map(({ id }) => ({ nodeId: id, score: ONE })),
    );
  }
}

/** Whether a heartbeat says that its node was online at a DHT time. */
export function wasOnline({ info, expiration }: LiveNode, at: number): boolean {
  if (expiration <= at || (info.onlineSince ?? 0) > at) return false;
  if (info.state === "offline") return (info.offlineSince ?? 0) > at;
  return info.state === "online";
}
