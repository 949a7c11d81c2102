import { toHex } from "../core/bytes.ts";
import { atLeast, type NodeScore, ONE } from "../chain/types.ts";
import type { Scorer, ScoringContext } from "./scorer.ts";

/**
 * An example of scoring by quality: everyone does the same deterministic work,
 * and a result counts when it is the one that most of those who revealed came
 * to. They get a full score, the others none. Results are bound to their
 * authors, so that nobody gains by copying a commit.
 */
export class RevealQualityScorer implements Scorer {
  /** Scores by agreement of results. */
  score({ epoch, nodes, work }: ScoringContext): Promise<NodeScore[]> {
    const eligible = new Map(
      nodes.filter((node) =>
        atLeast(node.nodeClass, "included") && node.startEpoch <= epoch
      ).map((node) => [node.peer.peerId, node.id]),
    );
    const groups = new Map<string, number[]>();
    for (const { peerId, result } of work) {
      const nodeId = eligible.get(peerId);
      if (nodeId === undefined || result === undefined) continue;
      const text = toHex(result);
      const group = groups.get(text) ?? [];
      group.push(nodeId);
      groups.set(text, group);
    }
    const revealed = [...groups.values()].flat().length;
    const right = [...groups.values()]
      .find((group) => 2 * group.length > revealed) ?? [];
    return Promise.resolve(
      right.map((nodeId) => ({ nodeId, score: ONE })),
    );
  }
}
