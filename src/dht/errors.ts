import { MeshError } from "../core/errors.ts";
import type { ReplicaAnswer, ReplicaOutcome, StoreResult } from "./types.ts";

const UNCERTAIN = "It may be held where nobody answers, and prevail later: " +
  "read it again once more peers are connected.";

/** The error of a store that fewer replicas took than it needed. */
export class StoreError extends MeshError {
  /** What each replica answered. */
  readonly result: StoreResult;

  /** Says what the replicas answered. */
  constructor(result: StoreResult) {
    const count = (outcome: ReplicaOutcome) =>
      result.replicas.filter((answer) => answer.outcome === outcome).length;
    const reasons = new Set(
      result.replicas.flatMap(({ outcome, reason }) =>
        outcome === "refused" ? reason ?? [] : []
      ),
    );
    super(
      result.isUncertain
        ? "STORE_UNCERTAIN"
        : count("conflict") > 0
        ? "STORE_CONFLICT"
        : "STORE_BELOW_QUORUM",
      `${count("stored")} replicas stored the record, ${result.quorum} are ` +
        `needed: ${count("older")} hold one that is at least as new, ` +
        `${count("refused")} refused it${
          reasons.size === 0 ? "" : ` (${[...reasons].join(", ")})`
        }, ${count("conflict")} hold something else than was expected, ` +
        `${count("later")} cannot judge it yet, ` +
        `${count("withdrawn")} took it back, ${count("unreachable")} ` +
        `could not be reached.`,
      { hint: result.isUncertain ? UNCERTAIN : hintFor(result.replicas) },
    );
    this.name = "StoreError";
    this.result = result;
  }
}

/** The error when too few peers answer to tell what lives under a key. */
export class UnansweredError extends MeshError {
  /** Who was asked. */
  readonly peers: readonly string[];

  /** Says what is unknown, and how many of the asked peers were heard. */
  constructor(what: string, peers: readonly string[], heard: "none" | "few") {
    const who = heard === "none" ? "none" : "too few";
    super(
      "REPLICAS_UNREACHABLE",
      peers.length === 0
        ? `${what} is not known: no peer that may hold it is connected.`
        : `${what} is not known: of the ${peers.length} peers that may hold ` +
          `it, ${who} answered.`,
      { hint: "Try again once more peers are connected." },
    );
    this.name = "UnansweredError";
    this.peers = peers;
  }
}

function hintFor(replicas: readonly ReplicaAnswer[]): string {
  const is = (outcome: ReplicaOutcome) =>
    replicas.some((answer) => answer.outcome === outcome);
  if (is("conflict")) return "Read it again, and decide anew.";
  if (is("refused")) {
    return "Check the record against the subnet's rules: with a chain, only " +
      "the kinds of records that the subnet names are taken, each in its time.";
  }
  if (is("older")) return "Give the record a later expiration.";
  return "Try again once more peers are connected.";
}
