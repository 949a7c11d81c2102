import type { Fault } from "./faults.ts";

/** A stretch of time in which a process ran and was online, ms. */
export interface Up {
  /** When it said so. */
  readonly from: number;
  /** When that was ended; Infinity when it was not. */
  readonly to: number;
}

/** What was seen of an epoch; validators are counted from 0. */
export interface EpochSeen {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Its first block's time, ms. */
  readonly start: number;
  /** When a quarter of it was over. */
  readonly quarter: number;
  /** Who was elected. */
  readonly elected: number | undefined;
  /** Every proposal that the chain ever showed for it, as text. */
  readonly proposals: ReadonlySet<string>;
  /** Who the chain says proposed. */
  readonly proposer: number | undefined;
  /** Who told that they proposed. */
  readonly claims: ReadonlySet<number>;
  /** Who attested, the proposer included. */
  readonly attested: ReadonlySet<number>;
}

/** What a run came to. */
export interface Verdict {
  /** What did not hold, in sentences. */
  readonly broken: readonly string[];
  /** Epochs that had to reach quorum. */
  readonly due: number;
  /** Epochs that reached it. */
  readonly reached: number;
  /** Faults of validators. */
  readonly faults: number;
  /** Those after which the validator voted. */
  readonly votedAgain: number;
}

/** Epochs that a validator that came back may need until it votes. */
const PATIENCE = 2;

/** Whether a validator was up while an epoch's first quarter lasted. */
export function wasUp(ups: readonly Up[], epoch: EpochSeen): boolean {
  return ups.some(({ from, to }) => from <= epoch.start && to >= epoch.quarter);
}

/** Whether an epoch had to reach quorum. */
export function isDue(
  epoch: EpochSeen,
  ups: readonly (readonly Up[])[],
): boolean {
  const up = ups.map((each) => wasUp(each, epoch));
  return epoch.elected !== undefined && up[epoch.elected] === true &&
    3 * up.filter((each) => each).length >= 2 * ups.length;
}

/** Whether enough of the validators attested. */
export function hasQuorum(epoch: EpochSeen, validators: number): boolean {
  return 3 * epoch.attested.size >= 2 * validators;
}

/** Holds what was seen against what must hold. `begun` are the times at which the faults began. */
export function judge(
  epochs: readonly EpochSeen[],
  ups: readonly (readonly Up[])[],
  faults: readonly { readonly fault: Fault; readonly begun: number }[],
): Verdict {
  const broken: string[] = [];
  let due = 0;
  let reached = 0;
  for (const each of epochs) {
    const { epoch, elected, proposals, proposer, claims, attested } = each;
    if (proposals.size > 1 || claims.size > 1) {
      broken.push(
        `Epoch ${epoch} has ${proposals.size} proposals, claimed by ` +
          `${claims.size} validators.`,
      );
    }
    const strangers = [...claims].filter((claim) => claim !== elected);
    if (proposer !== elected && proposer !== undefined || strangers.length) {
      broken.push(`Epoch ${epoch} was proposed by one who was not elected.`);
    }
    const quorum = hasQuorum(each, ups.length);
    if (quorum) reached++;
    if (!isDue(each, ups)) continue;
    due++;
    if (!quorum) {
      broken.push(
        `Epoch ${epoch} had to reach quorum, and ${attested.size} of ` +
          `${ups.length} attested.`,
      );
    }
  }
  let votedAgain = 0;
  const hurt = faults.flatMap(({ fault: { validators, kind }, begun }) =>
    validators.map((validator) => ({ validator, kind, begun }))
  );
  for (const { validator, kind, begun } of hurt) {
    const back = ups[validator]?.filter(({ from }) => from > begun) ?? [];
    const able = epochs.filter((each) =>
      each.attested.size > 0 && wasUp(back, each)
    ).slice(0, PATIENCE);
    if (able.some(({ attested }) => attested.has(validator))) votedAgain++;
    else {
      broken.push(
        `Validator ${validator + 1} did not vote after a ${kind}, in ` +
          `${able.length} epochs in which it could.`,
      );
    }
  }
  return { broken, due, reached, faults: hurt.length, votedAgain };
}
