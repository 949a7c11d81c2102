import type { ConsensusSubmission } from "./types.ts";

/** 66 %, as a ratio of whole numbers. */
const QUORUM = { part: 66, of: 100 };

/** How far a proposal is attested. */
export interface AttestationCount {
  /** Validators that attested. */
  readonly by: number;
  /** Validators that could. */
  readonly of: number;
  /** Whether they are enough. */
  readonly quorum: boolean;
}

/** Counts the attestations of those who could attest. */
export function countAttestations(
  { electorate, attestations }: Pick<
    ConsensusSubmission,
    "electorate" | "attestations"
  >,
): AttestationCount {
  const by = electorate.filter((id) => attestations.has(id)).length;
  const of = electorate.length;
  return { by, of, quorum: by * QUORUM.of >= of * QUORUM.part };
}
