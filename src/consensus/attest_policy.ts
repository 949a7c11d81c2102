import type { NodeScore } from "../chain/types.ts";
import { MeshError } from "../core/errors.ts";
import { compareScores } from "./scores.ts";

/** Which proposals are attested. */
export type AttestPolicy =
  /** Those that equal our own scores. */
  | { readonly kind: "exact" }
  /** Those whose distance from our own scores is at most so much. */
  | { readonly kind: "tolerance"; readonly most: number };

/** The usual {@linkcode AttestPolicy}. */
export const EXACT: AttestPolicy = { kind: "exact" };

/** Distances are compared in millionths, so that all nodes round alike. */
const UNIT = 1_000_000n;

/**
 * A policy's text: `exact`, or `tolerance:0.05`.
 *
 * @throws {MeshError} `ATTEST_POLICY_INVALID`
 */
export function parseAttestPolicy(text: string): AttestPolicy {
  if (text === "exact") return EXACT;
  const [, part] = /^tolerance:(\d?\.?\d+)$/.exec(text) ?? [];
  const most = Number(part);
  if (part !== undefined && most >= 0 && most < 1) {
    return { kind: "tolerance", most };
  }
  throw new MeshError(
    "ATTEST_POLICY_INVALID",
    `"${text}" is no policy for attesting.`,
    { hint: "Use exact, or tolerance:PART with a part below 1, such as 0.05." },
  );
}

/** Whether a proposal is near enough to our own scores. */
export function agrees(
  proposed: readonly NodeScore[],
  own: readonly NodeScore[],
  policy: AttestPolicy,
): boolean {
  const differences = compareScores(proposed, own);
  if (differences.length === 0) return true;
  if (policy.kind === "exact") return false;
  // Weighted Jaccard distance: what is not shared, by what either lists.
  const sum = (values: Iterable<bigint>) => {
    let total = 0n;
    for (const value of values) total += value;
    return total;
  };
  const all = sum(own.map(({ score }) => score)) +
    sum(
      differences.map(({ proposed: p = 0n, own: o = 0n }) =>
        p > o ? p - o : 0n
      ),
    );
  const apart = sum(
    differences.map(({ proposed: p = 0n, own: o = 0n }) =>
      p > o ? p - o : o - p
    ),
  );
  return apart * UNIT <= all * BigInt(Math.round(policy.most * Number(UNIT)));
}
