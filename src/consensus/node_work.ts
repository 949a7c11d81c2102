import { equal } from "../core/bytes.ts";
import type { FoundEntry } from "../dht/types.ts";
import type { MeshValue } from "../records/values.ts";
import {
  COMMITMENT_BYTES,
  opens,
  parseReveal,
  type Reveal,
} from "../validation/commit_reveal.ts";
import { subkeyOwner } from "../validation/owned_subkey.ts";

/** What became of a node's work. */
export type WorkStanding =
  /** Committed to, and revealed as committed. */
  | "valid"
  /** Committed to, and not revealed. */
  | "withheld"
  /** Revealed without a commit. */
  | "uncommitted"
  /** The reveal does not open the commit: another result, or another node's. */
  | "mismatched";

/** A node's work in an epoch, as its records show it. */
export interface NodeWork {
  /** Base58. */
  readonly peerId: string;
  /** What became of it. */
  readonly standing: WorkStanding;
  /** The result; present when it is valid. */
  readonly result?: Uint8Array;
}

/** The commits found under an epoch's key, by peer id; what is no commit is left out. */
export function readCommits(
  entries: readonly FoundEntry[],
): Map<string, Uint8Array> {
  return byOwner(
    entries,
    (value) =>
      value instanceof Uint8Array && value.length === COMMITMENT_BYTES
        ? value
        : undefined,
  );
}

/** The reveals found under an epoch's key, by peer id; what is no reveal is left out. */
export function readReveals(
  entries: readonly FoundEntry[],
): Map<string, Reveal> {
  return byOwner(entries, (value) => {
    try {
      return parseReveal(value);
    } catch {
      return undefined;
    }
  });
}

/** Judges work, and remembers it: records that are read again are mostly the same. */
export class WorkJudge {
  #epoch = -1;
  #judged = new Map<string, Judged>();

  /** What commits and reveals of an epoch say about each node's work, ascending by peer id. */
  judge(
    epoch: number,
    commits: ReadonlyMap<string, Uint8Array>,
    reveals: ReadonlyMap<string, Reveal>,
  ): NodeWork[] {
    const known = this.#epoch === epoch ? this.#judged : new Map();
    this.#epoch = epoch;
    this.#judged = new Map();
    return [...new Set([...commits.keys(), ...reveals.keys()])].sort()
      .map((peerId) => {
        const commit = commits.get(peerId);
        const reveal = reveals.get(peerId);
        const before: Judged | undefined = known.get(peerId);
        const work = before !== undefined && isSame(before, commit, reveal)
          ? before.work
          : judgeOne(epoch, peerId, commit, reveal);
        this.#judged.set(peerId, { commit, reveal, work });
        return work;
      });
  }
}

interface Judged {
  readonly commit: Uint8Array | undefined;
  readonly reveal: Reveal | undefined;
  readonly work: NodeWork;
}

function isSame(
  before: Judged,
  commit: Uint8Array | undefined,
  reveal: Reveal | undefined,
): boolean {
  const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
    a === b || a !== undefined && b !== undefined && equal(a, b);
  return same(before.commit, commit) &&
    same(before.reveal?.salt, reveal?.salt) &&
    same(before.reveal?.data, reveal?.data);
}

function judgeOne(
  epoch: number,
  peerId: string,
  commit: Uint8Array | undefined,
  reveal: Reveal | undefined,
): NodeWork {
  if (reveal === undefined) return { peerId, standing: "withheld" };
  if (commit === undefined) return { peerId, standing: "uncommitted" };
  return opens(reveal, commit, epoch, peerId)
    ? { peerId, standing: "valid", result: reveal.data }
    : { peerId, standing: "mismatched" };
}

function byOwner<T>(
  entries: readonly FoundEntry[],
  parse: (value: MeshValue) => T | undefined,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const { subkey, value } of entries) {
    const peerId = subkey instanceof Uint8Array
      ? subkeyOwner(subkey)
      : undefined;
    const parsed = peerId === undefined ? undefined : parse(value);
    if (peerId !== undefined && parsed !== undefined) {
      found.set(peerId, parsed);
    }
  }
  return found;
}
