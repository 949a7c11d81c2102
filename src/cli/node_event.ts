import { type ConsensusReport, reportReason } from "../consensus/report.ts";
import type { MembershipState } from "../network/mod.ts";
import type { NodeStatus, Unready } from "../node/mod.ts";

/** What a node's process tells the one that started it, one JSON text a line. */
export type NodeEvent =
  | {
    readonly event: "started";
    readonly peerId: string;
    readonly addresses: readonly string[];
  }
  | {
    readonly event: "status";
    /** What its heartbeat says. */
    readonly state: NodeStatus["state"];
    /** Where it stands in the mesh; `isolated` when it should see others and does not. */
    readonly network: MembershipState;
    /** Whether nothing keeps it from full work. */
    readonly ready: boolean;
    /** What does; empty when it is ready. */
    readonly unready: readonly Unready[];
    readonly connections: number;
    readonly records: number;
    /** Milliseconds by peer id. */
    readonly rtt: Readonly<Record<string, number>>;
  }
  | {
    readonly event: "consensus";
    readonly kind: ConsensusReport["kind"];
    readonly text: string;
  }
  | { readonly event: "stopped" };

/** Longest line, in characters. */
export const MAX_LINE = 64 * 1024;
/** Longest text of an event, in characters. */
export const MAX_TEXT = 2_000;
const KINDS = ["life", "waiting", "epoch", "work", "outcome"] as const;
const MAX_RTT = 1_024;
const MAX_UNREADY = 16;
const STATES: Readonly<Record<NodeStatus["state"], true>> = {
  offline: true,
  joining: true,
  online: true,
};
const PLACES: Readonly<Record<MembershipState, true>> = {
  alone: true,
  joining: true,
  joined: true,
  isolated: true,
  away: true,
};
const PARTS: Readonly<Record<Unready["part"], true>> = {
  mesh: true,
  stake: true,
  clock: true,
  work: true,
};

/** What is told of a node's status. */
export function statusEvent(status: NodeStatus): NodeEvent {
  const { state, network, ready, unready, connections, records } = status;
  return {
    event: "status",
    ...{ state, network, ready, unready, connections, records },
    rtt: Object.fromEntries(status.rtt),
  };
}

/** A consensus report in a few words. */
export function reportText(report: ConsensusReport): string {
  switch (report.kind) {
    case "waiting":
      return `waiting: ${report.reason}`;
    case "epoch":
      return `epoch ${report.epoch}: begun`;
    case "life":
      return report.text;
    case "work":
      return `epoch ${report.epoch}: work ${report.outcome}` +
        (report.reason === undefined ? "" : ` (${report.reason})`);
    case "outcome": {
      const reason = reportReason(report);
      return `epoch ${report.epoch}: ${report.outcome}` +
        (reason === undefined ? "" : ` (${reason})`);
    }
  }
}

/** Reads a line; `undefined` for anything that is no event. */
export function parseNodeEvent(line: string): NodeEvent | undefined {
  if (line.length > MAX_LINE) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const raw = value as Record<string, unknown>;
  switch (raw["event"]) {
    case "started": {
      const { peerId, addresses } = raw;
      if (!isText(peerId) || !Array.isArray(addresses)) return undefined;
      if (addresses.length > 64 || !addresses.every(isText)) return undefined;
      return { event: "started", peerId, addresses };
    }
    case "status": {
      const { state, network, ready, connections, records, rtt } = raw;
      const unready = parseUnready(raw["unready"]);
      if (!isOneOf(STATES, state) || !isOneOf(PLACES, network)) {
        return undefined;
      }
      if (typeof ready !== "boolean" || unready === undefined) return undefined;
      if (!isCount(connections) || !isCount(records)) return undefined;
      if (typeof rtt !== "object" || rtt === null) return undefined;
      const times = Object.entries(rtt);
      if (times.length > MAX_RTT || !times.every(([, t]) => isAmount(t))) {
        return undefined;
      }
      return {
        event: "status",
        ...{ state, network, ready, unready, connections, records },
        rtt: Object.fromEntries(times) as Record<string, number>,
      };
    }
    case "consensus": {
      const { kind, text } = raw;
      const known = KINDS.find((each) => each === kind);
      return known !== undefined && isText(text)
        ? { event: "consensus", kind: known, text }
        : undefined;
    }
    case "stopped":
      return { event: "stopped" };
  }
  return undefined;
}

function parseUnready(value: unknown): Unready[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_UNREADY) return undefined;
  const found = value.flatMap((each: unknown): Unready[] => {
    if (typeof each !== "object" || each === null) return [];
    const { part, reason } = each as Record<string, unknown>;
    return isOneOf(PARTS, part) && isText(reason) ? [{ part, reason }] : [];
  });
  return found.length === value.length ? found : undefined;
}

function isOneOf<T extends string>(
  words: Readonly<Record<T, true>>,
  value: unknown,
): value is T {
  return typeof value === "string" && Object.hasOwn(words, value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): value is number {
  return isAmount(value) && Number.isInteger(value);
}
