import { MeshError } from "../core/errors.ts";
import type { NodeScore } from "../chain/types.ts";

const MAX_SCORE = 2n ** 128n - 1n;
const MAX_NODES = 256;

/** How a proposal and our own scores differ about one node. */
export interface ScoreDifference {
  /** The subnet node. */
  readonly nodeId: number;
  /** The proposal's score; absent when it does not list the node. */
  readonly proposed?: bigint;
  /** Our score; absent when we do not list the node. */
  readonly own?: bigint;
  /** Why they probably differ, for people. */
  readonly reason?: string;
}

/**
 * Scores in their one form: ascending by node, each node once, each a u128.
 *
 * @throws {MeshError} `SCORES_INVALID` for anything that has no such form.
 */
export function canonicalScores(scores: readonly NodeScore[]): NodeScore[] {
  const sorted = scores.map(({ nodeId, score }) => ({ nodeId, score }))
    .sort((a, b) => a.nodeId - b.nodeId);
  if (sorted.length > MAX_NODES) {
    throw invalid(`${sorted.length} nodes are more than a subnet has.`);
  }
  sorted.forEach(({ nodeId, score }, i) => {
    if (!Number.isSafeInteger(nodeId) || nodeId < 0) {
      throw invalid(`${nodeId} is no node id.`);
    }
    if (nodeId === sorted[i - 1]?.nodeId) {
      throw invalid(`Node ${nodeId} is scored twice.`);
    }
    if (typeof score !== "bigint" || score < 0n || score > MAX_SCORE) {
      throw invalid(`The score of node ${nodeId} is no u128.`);
    }
  });
  return sorted;
}

/** What differs between a proposal and our own scores; nothing when they agree, empty ones included. */
export function compareScores(
  proposed: readonly NodeScore[],
  own: readonly NodeScore[],
): ScoreDifference[] {
  const theirs = new Map(proposed.map(({ nodeId, score }) => [nodeId, score]));
  const ours = new Map(own.map(({ nodeId, score }) => [nodeId, score]));
  return [...new Set([...theirs.keys(), ...ours.keys()])]
    .filter((nodeId) => theirs.get(nodeId) !== ours.get(nodeId))
    .sort((a, b) => a - b)
    .map((nodeId) => {
      const proposed = theirs.get(nodeId);
      const own = ours.get(nodeId);
      return {
        nodeId,
        ...(proposed === undefined ? {} : { proposed }),
        ...(own === undefined ? {} : { own }),
      };
    });
}

function invalid(message: string): MeshError {
  return new MeshError("SCORES_INVALID", message, {
    hint: "Correct the subnet's scorer.",
  });
}
