import { formatTensor } from "../../chain/amount.ts";
import type { NodeScore, SubnetNodeInfo } from "../../chain/types.ts";
import type { Observation } from "../../consensus/observation.ts";
import type { Recording } from "../../consensus/recording.ts";
import type { ConsensusReport, Outcome } from "../../consensus/report.ts";
import { compareScores } from "../../consensus/scores.ts";
import { count } from "../chain/words.ts";
import { table } from "../table.ts";

/** How a node is scored by us, and by the proposal. */
export interface ScoreRow {
  /** The subnet node. */
  readonly nodeId: number;
  /** Our score; absent when we do not list it. */
  readonly own?: bigint;
  /** The proposal's score, likewise. */
  readonly proposed?: bigint;
  /** Why they probably differ. */
  readonly reason?: string;
}

/** What a node would have done in an epoch, and why. */
export interface DryRunReport {
  /** The subnet epoch. */
  readonly epoch: number;
  /** The block by which it was decided. */
  readonly block: number | undefined;
  /** The node that would have done it. */
  readonly nodeId: number;
  /** The node elected for the epoch. */
  readonly elected: number | undefined;
  /** What it would have done. */
  readonly outcome: Outcome;
  /** More of why, if there is more. */
  readonly reason: string | undefined;
  /** Who proposed; absent when nobody has. */
  readonly proposer: number | undefined;
  /** Whether the proposal has our scores; absent when there is none of either. */
  readonly agrees: boolean | undefined;
  /** All scores, ascending by node; absent when we came to none. */
  readonly scores: readonly ScoreRow[] | undefined;
  /** Says that nothing was. */
  readonly sent: false;
}

/** Concludes a report from what was recorded of the epoch. */
export function dryRunReport(
  nodeId: number,
  told: Extract<ConsensusReport, { kind: "outcome" }>,
  recording: Recording | undefined,
): DryRunReport {
  let own: readonly NodeScore[] | undefined;
  let seen: Observation | undefined;
  for (const { event } of recording?.events ?? []) {
    if (event.type === "scored") own = event.scores;
    if ("observation" in event) seen = event.observation;
  }
  const submission = seen?.submission;
  const reasons = new Map(
    told.differences?.map((each) => [each.nodeId, each.reason]),
  );
  return {
    epoch: told.epoch,
    block: seen?.block,
    nodeId,
    elected: seen?.elected,
    outcome: told.outcome,
    reason: told.reason,
    proposer: submission?.validatorId,
    agrees: own && submission &&
      compareScores(submission.scores, own).length === 0,
    scores: own && rowsOf(own, submission?.scores ?? [], reasons),
    sent: false,
  };
}

function rowsOf(
  own: readonly NodeScore[],
  proposed: readonly NodeScore[],
  reasons: ReadonlyMap<number, string | undefined>,
): ScoreRow[] {
  const ours = new Map(own.map(({ nodeId, score }) => [nodeId, score]));
  const theirs = new Map(proposed.map(({ nodeId, score }) => [nodeId, score]));
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .sort((a, b) => a - b).map((nodeId) => {
      const [own, proposed] = [ours.get(nodeId), theirs.get(nodeId)];
      const reason = reasons.get(nodeId);
      return {
        nodeId,
        ...(own === undefined ? {} : { own }),
        ...(proposed === undefined ? {} : { proposed }),
        ...(reason === undefined ? {} : { reason }),
      };
    });
}

/** What would have been done, in one line. */
export function decisionText(report: DryRunReport): string {
  const { epoch, nodeId, outcome, proposer } = report;
  return `Epoch ${epoch}: node ${nodeId} ${WOULD[outcome]}` +
    (outcome === "attested" || outcome === "disagreed"
      ? ` the proposal of node ${proposer}`
      : "") +
    ", and nothing was sent.";
}

const WOULD: Readonly<Record<Outcome, string>> = {
  "proposed": "would have proposed its scores",
  "attested": "would have attested",
  "observed": "would have watched, as its class signs nothing",
  "disagreed": "would not have attested",
  "queue-change":
    "would have refused what the proposal does to the queue of waiting nodes",
  "not-an-attestor":
    "would not have attested, as it is not among those who may",
  "no-proposal": "would have found no proposal to attest before the cut-off",
  "call-failed": "could not have voted",
  "out-of-time": "would have been too late",
};

/** Why, in one line. */
export function reasonText(report: DryRunReport): string | undefined {
  const { scores, proposer, agrees, reason } = report;
  if (scores === undefined) return reason;
  if (proposer === undefined) {
    return `Its scores are those of ${count(own(scores), "node")}; ` +
      "nothing was proposed yet to compare them with.";
  }
  const differing = scores.filter(({ own, proposed }) => own !== proposed);
  return agrees
    ? `The proposal of node ${proposer} has the same scores.`
    : `The proposal of node ${proposer} differs from its own scores about ${
      count(differing.length, "node")
    }.`;
}

function own(scores: readonly ScoreRow[]): number {
  return scores.filter((each) => each.own !== undefined).length;
}

/** All scores below each other; `nodes` tells more of them. */
export function scoresText(
  scores: readonly ScoreRow[],
  nodes: readonly SubnetNodeInfo[],
): string {
  const byId = new Map(nodes.map((each) => [each.id, each]));
  const score = (value: bigint | undefined) =>
    value === undefined ? "–" : formatTensor(value);
  return table<ScoreRow>([
    { title: "Node", align: "right", cell: ({ nodeId }) => String(nodeId) },
    {
      title: "Peer",
      cell: ({ nodeId }) => byId.get(nodeId)?.peer.peerId ?? "",
    },
    {
      title: "Class",
      cell: ({ nodeId }) => byId.get(nodeId)?.nodeClass ?? "not on the chain",
    },
    { title: "Own", align: "right", cell: ({ own }) => score(own) },
    {
      title: "Proposed",
      align: "right",
      cell: ({ proposed }) => score(proposed),
    },
    {
      title: "",
      cell: ({ own, proposed, reason }) =>
        own === proposed ? "" : reason ?? "differs",
    },
  ], scores);
}
