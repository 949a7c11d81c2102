import type { OwnerUsage } from "./table.ts";

/** Owners of one kind by the magnitude of what they take. */
type Magnitudes = Map<number, Set<string>>;

const NOTHING = { records: 0, bytes: 0 };

/**
 * What each owner's records take, and who takes most.
 *
 * Owners are sorted by powers of two, so that a large one is found at once
 * however many there are.
 */
export class Shares {
  readonly #owners = new Map<string, OwnerUsage & { readonly rank: number }>();
  readonly #members: Magnitudes = new Map();
  readonly #strangers: Magnitudes = new Map();
  readonly #isMember: (owner: string) => boolean;
  #records = 0;
  #bytes = 0;

  /** `isMember` tells members from strangers; its answer may change. */
  constructor(isMember: (owner: string) => boolean) {
    this.#isMember = isMember;
  }

  /** All records. */
  get records(): number {
    return this.#records;
  }

  /** All records' bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an owner is a member. */
  isMember(owner: string): boolean {
    return this.#isMember(owner);
  }

  /** What an owner takes. */
  of(owner: string): Omit<OwnerUsage, "owner"> {
    return this.#owners.get(owner) ?? NOTHING;
  }

  /** Notes that an owner takes more, or less. */
  add(owner: string, records: number, bytes: number): void {
    this.#records += records;
    this.#bytes += bytes;
    const before = this.#owners.get(owner);
    const after = {
      owner,
      records: (before?.records ?? 0) + records,
      bytes: (before?.bytes ?? 0) + bytes,
    };
    if (before !== undefined) this.#unsort(owner, before.rank);
    if (after.records <= 0) {
      this.#owners.delete(owner);
      return;
    }
    const rank = Math.ceil(Math.log2(Math.max(1, after.bytes)));
    this.#owners.set(owner, { ...after, rank });
    this.#sort(owner, rank);
  }

  /** Forgets everything, and begins with what a table holds. */
  reset(usage: Iterable<OwnerUsage>): void {
    this.#owners.clear();
    this.#members.clear();
    this.#strangers.clear();
    this.#records = 0;
    this.#bytes = 0;
    for (const { owner, records, bytes } of usage) {
      this.add(owner, records, bytes);
    }
  }

  /** Members, or strangers, those who take most first (within a factor of two). */
  *largest(members: boolean): Generator<string> {
    const magnitudes = members ? this.#members : this.#strangers;
    for (const rank of [...magnitudes.keys()].sort((a, b) => b - a)) {
      for (const owner of magnitudes.get(rank) ?? []) {
        if (this.#isMember(owner) === members) yield owner;
        else {
          this.#unsort(owner, rank);
          this.#sort(owner, rank);
        }
      }
    }
  }

  #sort(owner: string, rank: number): void {
    const kind = this.#isMember(owner) ? this.#members : this.#strangers;
    const owners = kind.get(rank);
    if (owners === undefined) kind.set(rank, new Set([owner]));
    else owners.add(owner);
  }

  #unsort(owner: string, rank: number): void {
    for (const kind of [this.#members, this.#strangers]) {
      const owners = kind.get(rank);
      if (owners?.delete(owner) && owners.size === 0) kind.delete(rank);
    }
  }
}
