import { createHash } from "node:crypto";
import { type Bytes, concat, equal } from "../core/bytes.ts";
import { DecodeError } from "../records/errors.ts";
import { decode, encode } from "../records/serializer.ts";
import { type MeshValue, Tuple } from "../records/values.ts";
import type { KeyRule } from "./key_rule.ts";

/** Separates commitments from every other hash that is made of the same bytes. */
const DOMAIN = "meshnode/commitment/1";

/** Length of a commitment, bytes: SHA-256. */
export const COMMITMENT_BYTES = 32;

/** Shortest and longest salt, bytes. */
export const SALT_BYTES = { min: 16, max: 64 } as const;

/** Longest value of a reveal with its signature, bytes. */
const MAX_REVEAL = 256 * 1024;

/** What a commitment is made of, and what a reveal lays open. */
export interface Reveal {
  /** Random bytes, used once, that nobody can guess. */
  readonly salt: Uint8Array;
  /** What was committed to. */
  readonly data: Uint8Array;
}

/**
 * The commitment to some data: the SHA-256 of the serialized tuple
 * `("meshnode/commitment/1", epoch, owner's peer id, salt, data)`.
 *
 * Epoch and owner are part of it, so that nobody can use another's commitment,
 * or an old one, as their own.
 */
export function commitment(
  epoch: number,
  owner: string,
  { salt, data }: Reveal,
): Bytes {
  const message = encode(new Tuple([DOMAIN, epoch, owner, salt, data]));
  return concat(createHash("sha256").update(message).digest());
}

/** The key of an epoch's commits. */
export function commitKey(epoch: number): string {
  return `commit_epoch_${epoch}`;
}

/** The key of an epoch's reveals. */
export function revealKey(epoch: number): string {
  return `reveal_epoch_${epoch}`;
}

/** The key of the scores that follow from an epoch's reveals. */
export function scoresKey(epoch: number): string {
  return `consensus_epoch_${epoch}`;
}

/** The value of a reveal: the tuple `(salt, data)`. */
export function revealValue({ salt, data }: Reveal): MeshValue {
  return new Tuple([salt, data]);
}

/** Reads the value of a reveal. @throws {DecodeError} */
export function parseReveal(value: MeshValue): Reveal {
  const [salt, data, ...more] = value instanceof Tuple ? value.items : [];
  if (
    !(salt instanceof Uint8Array) || !(data instanceof Uint8Array) ||
    more.length > 0
  ) throw new DecodeError("A reveal is the tuple of a salt and data.");
  if (salt.length < SALT_BYTES.min || salt.length > SALT_BYTES.max) {
    throw new DecodeError(
      `A salt has ${SALT_BYTES.min} to ${SALT_BYTES.max} bytes.`,
    );
  }
  return { salt, data };
}

/** Whether a reveal opens its owner's commitment of an epoch. */
export function opens(
  reveal: Reveal,
  committed: Uint8Array,
  epoch: number,
  owner: string,
): boolean {
  return equal(commitment(epoch, owner, reveal), committed);
}

/** Reads the serialized value of a commit; `undefined` for anything else. */
export function parseCommit(serialized: Uint8Array): Uint8Array | undefined {
  const value = decode(serialized);
  return value instanceof Uint8Array && value.length === COMMITMENT_BYTES
    ? value
    : undefined;
}

/** Parts of an epoch, in [0, 1), at which its phases begin. */
export interface EpochPhases {
  /** Where commits begin. */
  readonly commit: number;
  /** Where reveals begin, and commits end. */
  readonly reveal: number;
  /** Where scores begin, and reveals end. */
  readonly score: number;
}

/** The documentation's {@linkcode EpochPhases}. */
export const EPOCH_PHASES: EpochPhases = {
  commit: 0.15,
  reveal: 0.5,
  score: 0.6,
};

/**
 * The kinds of records of an epoch: commits, reveals and scores in their phases
 * (from 15, 50 and 60 % by default), one of each per node, living for at most
 * two epochs.
 *
 * Commits do not close late and reveals do not open early: in a window that
 * overlaps, one could read what others reveal and commit to it.
 */
export function commitRevealRules(
  { commit, reveal, score }: EpochPhases = EPOCH_PHASES,
): readonly KeyRule[] {
  return [
    {
      name: "commit",
      key: commitKey,
      window: { from: commit, to: reveal },
      tolerance: { early: 1, late: 0 },
      quota: 1,
      lifetime: 2,
      maxBytes: 2_048,
      check: ({ value }) => parseCommit(value) !== undefined,
    },
    {
      name: "reveal",
      key: revealKey,
      window: { from: reveal, to: score },
      tolerance: { early: 0, late: 1 },
      quota: 1,
      lifetime: 2,
      maxBytes: MAX_REVEAL,
      check: ({ value }) => parseReveal(decode(value)) !== undefined,
      reveals: "commit",
    },
    {
      name: "scores",
      key: scoresKey,
      window: { from: score, to: 1 },
      quota: 1,
      lifetime: 2,
      maxBytes: 64 * 1024,
    },
  ];
}
