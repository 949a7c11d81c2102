import type { SubnetNodeInfo } from "../chain/types.ts";
import type { LiveNode } from "../heartbeat/directory.ts";
import type { Evidence } from "./evidence.ts";
import type { Moment } from "./moment.ts";
import type { NodeWork } from "./node_work.ts";
import { wasOnline } from "./scorer.ts";
import type { ScoreDifference } from "./scores.ts";

/** What reasons are concluded from. */
export interface ReasonFacts {
  /** What we scored by. */
  readonly evidence: Pick<Evidence, "live" | keyof Moment>;
  /** What we know of each node's work; empty when there is none. */
  readonly work: readonly NodeWork[];
  /** The chain's nodes, as we saw them. */
  readonly nodes: readonly SubnetNodeInfo[];
}

/** Why a proposal and our scores probably differ about each node, for people. */
export function withReasons(
  differences: readonly ScoreDifference[],
  { evidence, work, nodes }: ReasonFacts,
): ScoreDifference[] {
  const peers = new Map(nodes.map(({ id, peer }) => [id, peer.peerId]));
  const works = new Map(work.map((each) => [each.peerId, each]));
  const reasonOf = ({ nodeId, proposed, own }: ScoreDifference): string => {
    const peerId = peers.get(nodeId);
    if (peerId === undefined) return "it is not on the chain here";
    const parts = [heartbeatText(evidence.live.get(peerId), evidence)];
    if (work.length > 0) {
      const { standing } = works.get(peerId) ?? {};
      parts.push(`its work is ${standing ?? "not found here"}`);
    }
    if (own !== undefined && proposed === undefined) {
      parts.push("the proposer did not find it, or not in time");
    }
    return parts.join(", ");
  };
  return differences.map((each) => ({ ...each, reason: reasonOf(each) }));
}

function heartbeatText(
  live: LiveNode | undefined,
  { cutOff, heardUntil }: Moment,
): string {
  if (live === undefined) return "its heartbeat is not found here";
  const { info, expiration } = live;
  const relative = (time: number) => {
    const seconds = Math.abs(time - cutOff).toFixed(1);
    return `${seconds} s ${time > cutOff ? "after" : "before"} the cut-off`;
  };
  if (wasOnline(live, cutOff, heardUntil)) {
    return `its heartbeat is seen here, online since ${
      info.onlineSince === undefined
        ? "an unknown time"
        : relative(info.onlineSince)
    }`;
  }
  if (info.state !== "offline" && expiration <= heardUntil) {
    return `its last heartbeat ended ${relative(expiration)}`;
  }
  if ((info.onlineSince ?? 0) > cutOff) {
    return `it came online ${relative(info.onlineSince as number)}`;
  }
  if (info.state === "offline") {
    return `it left ${relative(info.offlineSince ?? cutOff)}`;
  }
  return `its heartbeat says ${info.state}`;
}
