import type { NodeScore } from "../chain/types.ts";
import { agrees } from "./attest_policy.ts";
import type { Observation, ObservedNode } from "./observation.ts";
import type { Outcome } from "./report.ts";
import type { MachineRules } from "./rules.ts";
import { compareScores, type ScoreDifference } from "./scores.ts";

/** How a dry run ends. */
export interface Rehearsed {
  /** What the node would have done. */
  readonly outcome: Outcome;
  /** Says that it did not. */
  readonly reason: string;
  /** How a proposal that is there differs from our scores, if it does. */
  readonly differences?: readonly ScoreDifference[];
}

/**
 * How a dry run ends where the node would sign, or its class keeps it from
 * that; nothing while the machine goes on as it would otherwise. What the node
 * itself did, beside this run, does not count.
 */
export function rehearse(
  { elected, submission, mayAttest }: Observation,
  node: ObservedNode,
  scores: readonly NodeScore[],
  rules: MachineRules,
): Rehearsed | undefined {
  const differences = compareScores(submission?.scores ?? scores, scores);
  const end = (outcome: Outcome): Rehearsed => ({
    outcome,
    reason: "dry run: nothing was sent",
    ...(differences.length === 0 ? {} : { differences }),
  });
  if (elected === node.id) return end("proposed");
  if (submission === undefined || submission.queue === "refused") {
    return undefined;
  }
  if (node.nodeClass !== "validator") return end("observed");
  return mayAttest && agrees(submission.scores, scores, rules.attest)
    ? end("attested")
    : undefined;
}
