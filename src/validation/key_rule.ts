import type { MeshValue } from "../records/values.ts";
import type { RecordPredicate } from "./predicate.ts";

/** Where the chain stands in the subnet's epoch. */
export interface EpochTime {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Blocks since the epoch's first one; need not be whole. */
  readonly elapsed: number;
  /** Blocks in an epoch. */
  readonly length: number;
  /** Seconds between blocks. */
  readonly blockSeconds: number;
}

/** Tells rules where the chain stands. */
export interface EpochClock {
  /** The position at this moment; `undefined` while it is not known. */
  now(): EpochTime | undefined;
}

/** A part of an epoch, in fractions of it. */
export interface EpochWindow {
  /** When it opens, in [0, 1]. */
  readonly from: number;
  /** When it closes. */
  readonly to: number;
}

/** What holds for the records of one kind, as data. */
export interface KeyRule {
  /** The kind's name in metrics and messages. */
  readonly name: string;
  /**
   * The records' key, or their key of an epoch. A rule without a key holds for
   * all keys that no other rule names.
   */
  readonly key?: MeshValue | ((epoch: number) => MeshValue);
  /** When records of an epoch's key may be written; the whole epoch by default. */
  readonly window?: EpochWindow;
  /**
   * Blocks by which a window opens early and closes late, because nodes do not
   * see a block at the same moment; one each by default.
   */
  readonly tolerance?: { readonly early: number; readonly late: number };
  /** Most different records of one owner in an epoch; without a limit by default. */
  readonly quota?: number;
  /** Longest life, in epochs; the DHT's own limit by default. */
  readonly lifetime?: number;
  /** Longest value with its signature, bytes; the DHT's own limit by default. */
  readonly maxBytes?: number;
  /** Whether each record belongs to the peer whose subkey it is under; true by default. */
  readonly owned?: boolean;
  /** What else must hold; sees the value without its signature. */
  readonly check?: RecordPredicate;
  /** The name of the rule for commits that a record of this one has to open. */
  readonly reveals?: string;
}

/** The tolerance of rules that name none. */
export const TOLERANCE = { early: 1, late: 1 } as const;

/** Blocks from the first block of an epoch to the present position; negative before it. */
export function blocksInto(epoch: number, now: EpochTime): number {
  return (now.epoch - epoch) * now.length + now.elapsed;
}

/** Where the present position lies to the window of an epoch. */
export function windowState(
  rule: Pick<KeyRule, "window" | "tolerance">,
  epoch: number,
  now: EpochTime,
): "early" | "open" | "over" {
  const { from, to } = rule.window ?? { from: 0, to: 1 };
  const { early, late } = rule.tolerance ?? TOLERANCE;
  const at = blocksInto(epoch, now);
  if (at < from * now.length - early) return "early";
  return at <= to * now.length + late ? "open" : "over";
}
