import { type ConsensusReport, reportReason } from "../consensus/report.ts";

/** What a node's process tells the one that started it, one JSON text a line. */
export type NodeEvent =
  | {
    readonly event: "started";
    readonly peerId: string;
    readonly addresses: readonly string[];
  }
  | {
    readonly event: "status";
    readonly state: "offline" | "joining" | "online";
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
      const { state, connections, records, rtt } = raw;
      if (state !== "offline" && state !== "joining" && state !== "online") {
        return undefined;
      }
      if (!isCount(connections) || !isCount(records)) return undefined;
      if (typeof rtt !== "object" || rtt === null) return undefined;
      const times = Object.entries(rtt);
      if (times.length > MAX_RTT || !times.every(([, t]) => isAmount(t))) {
        return undefined;
      }
      return {
        event: "status",
        state,
        connections,
        records,
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

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): value is number {
  return isAmount(value) && Number.isInteger(value);
}
