import type { NodeClass } from "../chain/types.ts";
import type { SubnetStanding } from "./observation.ts";
import type { ScoreDifference } from "./scores.ts";

/** How an epoch ended for us. */
export type Outcome =
  /** We proposed. */
  | "proposed"
  /** We attested. */
  | "attested"
  /** Our class signs nothing yet. */
  | "observed"
  /** The proposal differs from our scores. */
  | "disagreed"
  /** The proposal changes the queue, and our policy refuses that. */
  | "queue-change"
  /** We are not among those who may attest. */
  | "not-an-attestor"
  /** Nobody proposed before the cut-off. */
  | "no-proposal"
  /** The chain did not take our call. */
  | "call-failed"
  /** The epoch ended while we were at work. */
  | "out-of-time";

/** What became of an epoch's work. */
export type WorkOutcome =
  /** Committed and revealed in time. */
  | "revealed"
  /** It was not committed before the window closed. */
  | "not-committed"
  /** It was committed, and not revealed before the window closed. */
  | "not-revealed";

/** What is told to people. */
export type ConsensusReport =
  /** The subnet or our node stands otherwise than before. */
  | {
    readonly kind: "life";
    readonly subnet: SubnetStanding;
    /** Our node's class; absent when it has no node. */
    readonly nodeClass?: NodeClass;
    /** The same in a sentence. */
    readonly text: string;
  }
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "epoch"; readonly epoch: number }
  | {
    readonly kind: "work";
    readonly epoch: number;
    readonly outcome: WorkOutcome;
    readonly reason?: string;
  }
  | {
    readonly kind: "outcome";
    readonly epoch: number;
    readonly outcome: Outcome;
    readonly reason?: string;
    readonly differences?: readonly ScoreDifference[];
  };

/** Most differences that a reason names. */
const MAX_NAMED = 8;

/** How a proposal and our scores differ about a node, for people. */
export function differenceText(difference: ScoreDifference): string {
  const { nodeId, proposed, own, reason } = difference;
  return `node ${nodeId} proposed ${proposed ?? "none"}, own ${own ?? "none"}` +
    (reason === undefined ? "" : ` (${reason})`);
}

/** Why an outcome came to be, for people, if it is known. */
export function reportReason(
  report: Extract<ConsensusReport, { kind: "outcome" }>,
): string | undefined {
  const { reason, differences } = report;
  if (reason !== undefined || differences === undefined) return reason;
  const more = differences.length - MAX_NAMED;
  return differences.slice(0, MAX_NAMED).map(differenceText).join("; ") +
    (more > 0 ? `; and ${more} more` : "");
}
