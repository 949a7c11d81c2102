import type { EpochPosition } from "../chain/epoch.ts";
import { MeshError } from "../core/errors.ts";

/** What an epoch is for at one moment. */
export type Phase =
  /** Propose and attest. */
  | "vote"
  /** Commit to the work's result. */
  | "commit"
  /** Reveal it. */
  | "reveal"
  /** Gather what the next epoch is scored by. */
  | "score";

/** Parts of an epoch, in [0, 1), at which its phases begin; voting begins at 0. */
export interface Phases {
  /** Where commits begin. */
  readonly commit: number;
  /** Where reveals begin. */
  readonly reveal: number;
  /** Where scoring for the next epoch begins; heartbeats are cut off here. */
  readonly score: number;
  /** Where a missing or differing proposal is given up. */
  readonly cutOff: number;
}

/** The documentation's {@linkcode Phases}. */
export const PHASES: Phases = {
  commit: 0.15,
  reveal: 0.5,
  score: 0.6,
  cutOff: 0.25,
};

/** So that 0.55 of 20 blocks is block 11, and not the one after it. */
const ROUNDING = 1e-9;

/** The first block, counted from the epoch's first, that lies at or after a part of it. */
export function blockOfPart(part: number, epochLength: number): number {
  return Math.ceil(part * epochLength - ROUNDING);
}

/** Blocks after the cut-off in which replicas may still take a reveal that was on its way. */
const SPREADING = 1;

/**
 * The block of an epoch, counted from its first, in which the records are read
 * that the next one is scored by: all that will be taken is there, and what
 * only some have is handed on by the reads themselves before the votes.
 */
export function readingBlock({ score }: Phases, epochLength: number): number {
  const after = blockOfPart(score, epochLength) + SPREADING + 1;
  return Math.min(after, epochLength - 1);
}

/** The phase of a position. */
export function phaseAt(position: EpochPosition, phases: Phases): Phase {
  if (position.beforeSlot) return "vote";
  const length = position.elapsed + position.remaining;
  const reached = (part: number) =>
    position.elapsed >= blockOfPart(part, length);
  if (reached(phases.score)) return "score";
  if (reached(phases.reveal)) return "reveal";
  return reached(phases.commit) ? "commit" : "vote";
}

/**
 * Checks boundaries, with the epoch's length once it is known.
 *
 * @throws {MeshError} `PHASES_INVALID` when a phase would be empty.
 */
export function checkPhases(phases: Phases, epochLength?: number): Phases {
  const { commit, reveal, score, cutOff } = phases;
  const starts = [0, commit, reveal, score, 1];
  const ascend = starts.every((part, i) =>
    Number.isFinite(part) && (i === 0 || part > (starts[i - 1] as number))
  );
  if (!ascend) {
    throw invalid(
      `Phases begin at ${commit}, ${reveal} and ${score} of an epoch, ` +
        "and must ascend between 0 and 1.",
    );
  }
  if (!(cutOff > 0 && cutOff < 1)) {
    throw invalid(`The cut-off ${cutOff} is not between 0 and 1.`);
  }
  if (epochLength === undefined) return phases;
  const blocks = starts.map((part) => blockOfPart(part, epochLength));
  const empty = blocks.findIndex((block, i) =>
    i > 0 && block === blocks[i - 1]
  );
  if (empty > 0) {
    const name = ["vote", "commit", "reveal", "score"][empty - 1];
    throw invalid(
      `With epochs of ${epochLength} blocks the phase "${name}" has no block.`,
    );
  }
  return phases;
}

function invalid(message: string): MeshError {
  return new MeshError("PHASES_INVALID", message, {
    hint: "Correct the subnet's phases.",
  });
}
