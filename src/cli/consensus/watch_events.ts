import { countAttestations } from "../../chain/quorum.ts";
import { count, duration } from "../chain/words.ts";
import type { EpochResult, EpochView } from "./epoch_view.ts";
import type { MeshSight } from "./mesh_sight.ts";
import type { OwnVote } from "./own_vote.ts";

/** One thing that happened. */
export interface WatchEvent {
  /** Which kind of thing. */
  readonly event:
    | "subnet"
    | "node"
    | "epoch"
    | "phase"
    | "elected"
    | "proposal"
    | "attested"
    | "quorum"
    | "commits"
    | "reveals"
    | "own"
    | "ended";
  /** The newest block then. */
  readonly block: number;
  /** The subnet epoch. */
  readonly epoch: number;
  /** The same for people. */
  readonly text: string;
  /** More of it, for programs. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What happened on the chain since an earlier look. */
export function chainEvents(
  before: EpochView | undefined,
  now: EpochView,
): WatchEvent[] {
  const { position, phase, state, elected } = now;
  const { epoch, remaining, beforeSlot } = position;
  const found: WatchEvent[] = [];
  const tell = (
    event: WatchEvent["event"],
    text: string,
    details: WatchEvent["details"],
  ) => found.push({ event, block: now.block, epoch, text, details });
  if (before?.state !== state && (before !== undefined || state !== "active")) {
    const text = state === "missing"
      ? "the chain has no such subnet"
      : `the subnet is ${state}`;
    tell("subnet", text, { state });
  }
  found.push(...nodeEvents(before, now));
  const anew = before?.position.epoch !== epoch ||
    before.position.beforeSlot !== beforeSlot;
  const left = `${count(remaining, "block")} (about ${
    duration(remaining * now.blockMilliseconds)
  }) to go`;
  if (beforeSlot) {
    if (anew) tell("epoch", `the first epoch has not begun, ${left}`, {});
    return found;
  }
  if (anew) {
    tell("epoch", `${position.elapsed === 0 ? "begins" : "goes on"}, ${left}`, {
      remaining,
    });
  }
  if (anew || before.phase !== phase) {
    tell("phase", PHASE_TEXTS[phase], { phase });
  }
  if (elected !== undefined && (anew || before.elected !== elected)) {
    tell("elected", `node ${elected} is elected`, { elected });
  }
  found.push(...proposalEvents(anew ? undefined : before, now));
  return found;
}

/** What each phase is for. */
export const PHASE_TEXTS = {
  vote: "vote: the elected validator proposes, the others attest",
  commit: "commit: nodes commit to their work",
  reveal: "reveal: nodes lay their work open",
  score: "score: heartbeats and work are gathered for the next epoch",
} as const;

function nodeEvents(
  before: EpochView | undefined,
  now: EpochView,
): WatchEvent[] {
  if (before === undefined) return [];
  const { block, position: { epoch } } = now;
  const event = "node" as const;
  const known = new Map(before.nodes.map((node) => [node.id, node]));
  const found = now.nodes.flatMap(({ id, nodeClass }): WatchEvent[] => {
    const last = known.get(id);
    known.delete(id);
    if (last?.nodeClass === nodeClass) return [];
    const text = last === undefined
      ? `node ${id} was added and is ${nodeClass}`
      : `node ${id} is ${nodeClass}, and was ${last.nodeClass}`;
    return [{ event, block, epoch, text, details: { node: id, nodeClass } }];
  });
  for (const id of known.keys()) {
    const text = `node ${id} was removed`;
    found.push({ event, block, epoch, text, details: { node: id } });
  }
  return found;
}

function proposalEvents(
  before: EpochView | undefined,
  now: EpochView,
): WatchEvent[] {
  const { submission, block, position: { epoch } } = now;
  if (submission === undefined) return [];
  const known = before?.submission;
  const found: WatchEvent[] = [];
  const at = { block, epoch };
  if (known === undefined) {
    const { validatorId, scores } = submission;
    const queue = [
      [submission.prioritizeQueueNodeId, "first in the queue"],
      [submission.removeQueueNodeId, "out of the queue"],
    ].flatMap(([id, what]) => id === undefined ? [] : [`; node ${id} ${what}`]);
    found.push({
      ...at,
      event: "proposal",
      text: `node ${validatorId} proposed ${count(scores.length, "score")} ` +
        `in block ${submission.block}${queue.join("")}`,
      details: {
        validatorId,
        scores,
        proposedIn: submission.block,
        prioritize: submission.prioritizeQueueNodeId,
        remove: submission.removeQueueNodeId,
      },
    });
  }
  const counted = countAttestations(submission);
  // The proposer's own is part of the proposal.
  const news = [...submission.attestations.keys()].filter((id) =>
    id !== submission.validatorId && !known?.attestations.has(id)
  );
  if (news.length > 0) {
    found.push({
      ...at,
      event: "attested",
      text: `${nodesText(news)} attested: ${counted.by} of ${counted.of}`,
      details: { nodes: news, by: counted.by, of: counted.of },
    });
  }
  if (counted.quorum && (!known || !countAttestations(known).quorum)) {
    found.push({
      ...at,
      event: "quorum",
      text: `quorum: ${countText(counted)}`,
      details: { by: counted.by, of: counted.of },
    });
  }
  return found;
}

/** Whose commits and reveals were seen since an earlier look. */
export function meshEvents(
  before: MeshSight | undefined,
  now: MeshSight,
  view: EpochView,
): WatchEvent[] {
  const ids = new Map(view.nodes.map(({ id, peerId }) => [peerId, id]));
  return (["commits", "reveals"] as const).flatMap((event): WatchEvent[] => {
    const known = before?.epoch === now.epoch ? before[event] : undefined;
    const news = [...now[event]].filter((peerId) => !known?.has(peerId));
    if (news.length === 0) return [];
    const nodes = news.flatMap((peerId) => ids.get(peerId) ?? [])
      .sort((a, b) => a - b);
    const what = event === "commits" ? "committed" : "revealed";
    return [{
      event,
      block: view.block,
      epoch: now.epoch,
      text: `${nodesText(nodes)} ${what}: ${now[event].size} so far`,
      details: { nodes, peers: news, count: now[event].size },
    }];
  });
}

/** What a node on this machine decided since an earlier look. */
export function ownEvents(
  before: OwnVote | undefined,
  now: OwnVote,
  block: number,
): WatchEvent[] {
  // What was decided before anybody looked is no news.
  if (before === undefined) return [];
  const known = new Map(before.epochs.map((each) => [each.epoch, each]));
  const who = now.nodeId === undefined ? "this node" : `our node ${now.nodeId}`;
  return now.epochs.toReversed().flatMap(
    ({ epoch, outcome, reason, work }): WatchEvent[] => {
      const last = known.get(epoch);
      const event = "own" as const;
      const found: WatchEvent[] = [];
      if (outcome !== undefined && last?.outcome !== outcome) {
        const why = reason === undefined ? "" : ` (${reason})`;
        found.push({
          ...{ event, block, epoch },
          text: `${who}: ${outcome}${why}`,
          details: { node: now.nodeId, outcome, reason },
        });
      }
      if (work !== undefined && last?.work !== work) {
        found.push({
          ...{ event, block, epoch },
          text: `${who}: work ${work}`,
          details: { node: now.nodeId, work },
        });
      }
      return found;
    },
  );
}

/** How an epoch ended. */
export function endedEvent(
  result: EpochResult,
  block: number,
  sight: MeshSight | undefined,
): WatchEvent {
  const { epoch, elected, proposer, attested } = result;
  const work = sight?.epoch === epoch
    ? { commits: sight.commits.size, reveals: sight.reveals.size }
    : undefined;
  const text =
    (attested === undefined
      ? "ended without a proposal"
      : `ended ${attested.quorum ? "with" : "without"} quorum: ${
        countText(attested)
      }`) +
    (work === undefined || work.commits + work.reveals === 0
      ? ""
      : `; ${count(work.commits, "commit")}, ${count(work.reveals, "reveal")}`);
  return {
    event: "ended",
    ...{ block, epoch, text },
    details: { elected, proposer, ...attested, ...work },
  };
}

/** `2 of 3 (66 %)`. */
export function countText(
  { by, of }: { readonly by: number; readonly of: number },
): string {
  return `${by} of ${of} (${of === 0 ? 0 : Math.floor(100 * by / of)} %)`;
}

/** Most nodes that a line names. */
const MAX_NAMED = 8;

/** `node 1`, `nodes 1, 2`, or `9 nodes`. */
export function nodesText(ids: readonly number[]): string {
  if (ids.length > MAX_NAMED || ids.length === 0) {
    return count(ids.length, "node");
  }
  return `${ids.length === 1 ? "node" : "nodes"} ${ids.join(", ")}`;
}
