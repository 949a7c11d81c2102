import { loggerOf } from "../core/log.ts";

/**
 * Finds an owner's commit where it is held, since the replicas of reveals are
 * not those of commits: gives the value without its signature.
 */
export type CommitSource = (
  commit: {
    /** The rule for commits. */
    readonly rule: string;
    /** The epoch's key. */
    readonly epoch: number;
    /** The owner's serialized subkey. */
    readonly subkey: Uint8Array;
  },
  signal?: AbortSignal,
) => Promise<Uint8Array | undefined>;

/** An owner's commit of an epoch. */
export interface CommitName {
  /** The rule for commits. */
  readonly rule: string;
  /** The epoch. */
  readonly epoch: number;
  /** The owner's peer id. */
  readonly owner: string;
}

const MAX_PER_EPOCH = 4_096;
const MAX_LOOKUPS = 32;
/** Epochs that are remembered: reveals outlive their epoch by two. */
const EPOCHS = 4;

/** The commitments that this replica has seen, or has looked up. */
export class Commits {
  readonly #source: CommitSource | undefined;
  readonly #epochs = new Map<number, Map<string, Uint8Array>>();
  readonly #looking = new Map<string, Promise<void>>();
  readonly #log = loggerOf("validation");

  /** Looks up what it has not seen at the source, where there is one. */
  constructor(source?: CommitSource) {
    this.#source = source;
  }

  /** The commitment of an owner, if it is known. */
  get({ rule, epoch, owner }: CommitName): Uint8Array | undefined {
    return this.#epochs.get(epoch)?.get(`${rule} ${owner}`);
  }

  /** Takes a commitment in; the first one stays. */
  set({ rule, epoch, owner }: CommitName, committed: Uint8Array): void {
    let known = this.#epochs.get(epoch);
    if (known === undefined) {
      known = new Map();
      this.#epochs.set(epoch, known);
      const newest = Math.max(...this.#epochs.keys());
      for (const each of this.#epochs.keys()) {
        if (each <= newest - EPOCHS) this.#epochs.delete(each);
      }
    }
    const name = `${rule} ${owner}`;
    if (!known.has(name) && known.size < MAX_PER_EPOCH) {
      known.set(name, committed);
    }
  }

  /** Looks a commitment up, each one once at a time. Never rejects. */
  learn(
    name: CommitName,
    subkey: Uint8Array,
    read: (value: Uint8Array) => Uint8Array | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const key = `${name.epoch} ${name.rule} ${name.owner}`;
    const present = this.#looking.get(key);
    if (present !== undefined) return present;
    if (this.#source === undefined || this.#looking.size >= MAX_LOOKUPS) {
      return Promise.resolve();
    }
    const { rule, epoch } = name;
    const looking = this.#source({ rule, epoch, subkey }, signal)
      .then((value) => {
        const committed = value && read(value);
        if (committed !== undefined) this.set(name, committed);
      })
      .catch((error) => {
        this.#log.debug("The commit of {owner} cannot be looked up: {error}", {
          owner: name.owner,
          error,
        });
      })
      .finally(() => this.#looking.delete(key));
    this.#looking.set(key, looking);
    return looking;
  }
}
