import { atLeast, type NodeScore, ONE } from "../chain/types.ts";
import { type Scorer, type ScoringContext, wasOnline } from "./scorer.ts";

/**
 * A full score for everyone present, as the reference has it: nodes of class
 * Included or above that have started and were online at the cut-off. Who came
 * or left later changes nothing, so that it does not matter when a node reads.
 */
export class PresenceScorer implements Scorer {
  /** Scores by presence. */
  score(
    { epoch, cutOff, heardUntil, nodes, live }: ScoringContext,
  ): Promise<NodeScore[]> {
    const present = new Set(
      live.filter((node) => wasOnline(node, cutOff, heardUntil)).map((
        { peerId },
      ) => peerId),
    );
    return Promise.resolve(
      nodes.filter((node) =>
        atLeast(node.nodeClass, "included") && node.startEpoch <= epoch &&
        present.has(node.peer.peerId)
      ).map(({ id }) => ({ nodeId: id, score: ONE })),
    );
  }
}
