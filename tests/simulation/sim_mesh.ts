import {
  commitKey,
  type Found,
  type MeshValue,
  opens,
  parseReveal,
  type RecordStore,
  revealKey,
  type StoreRequest,
  type StoreResult,
  toHex,
} from "../../mod.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

interface Held {
  readonly subkey: Uint8Array;
  readonly value: MeshValue;
  readonly expiration: number;
}

/** What one node holds. It is on its disk: a restart does not lose it. */
class Replica {
  readonly #keys = new Map<string, Map<string, Held>>();

  /**
   * Takes a record, by the rules that all nodes have: one that lacks the commit
   * of a reveal asks the others for it.
   */
  take(
    { key, subkey, value, expiration }: StoreRequest,
    block: { readonly epoch: number; readonly elapsed: number },
    lookUp: (key: string, owner: string) => MeshValue | undefined,
  ): "stored" | "older" | "refused" {
    const name = String(key);
    const bytes = subkey as Uint8Array;
    const owner = toHex(bytes);
    const held = this.#keys.get(name) ?? new Map<string, Held>();
    const before = held.get(owner);
    if (name !== "node") {
      const { epoch, elapsed } = block;
      const isCommit = name === commitKey(epoch);
      // The windows of the record rules: commits open early, reveals close late.
      const open = isCommit
        ? elapsed >= 2 && elapsed <= 10
        : name === revealKey(epoch) && elapsed >= 10 && elapsed <= 13;
      if (before !== undefined) return "older";
      if (!open) return "refused";
      if (!isCommit) {
        const commit = this.value(commitKey(epoch), owner) ??
          lookUp(commitKey(epoch), owner);
        if (
          !(commit instanceof Uint8Array) ||
          !opens(parseReveal(value), commit, epoch, peerOf(bytes))
        ) return "refused";
      }
    } else if (before !== undefined && before.expiration >= expiration) {
      return "older";
    }
    held.set(owner, { subkey: bytes, value, expiration });
    this.#keys.set(name, held);
    return "stored";
  }

  /** What lives under a key. */
  find(key: string, now: number): Held[] {
    const held = this.#keys.get(key);
    return held === undefined
      ? []
      : [...held.values()].filter(({ expiration }) => expiration > now);
  }

  /** Drops what an epoch left. */
  forget(epoch: number): void {
    this.#keys.delete(commitKey(epoch));
    this.#keys.delete(revealKey(epoch));
  }

  /** An owner's value under a key. */
  value(key: string, owner: string): MeshValue | undefined {
    return this.#keys.get(key)?.get(owner)?.value;
  }
}

/** The peer id that a subkey begins with. */
export function peerOf(subkey: Uint8Array): string {
  const text = new TextDecoder().decode(subkey);
  return text.slice(0, text.indexOf("[owner:"));
}

/**
 * The records of a simulation: every node holds every record, as in a mesh of
 * so few. Messages take time, get lost and overtake each other. Signatures are
 * left out, as nobody here writes for another: the DHT's own tests have them.
 */
export class SimMesh {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #replicas = new Map<string, Replica>();
  readonly #position: () => {
    readonly epoch: number;
    readonly elapsed: number;
  };
  /** The share of messages that get lost. */
  loss = 0;
  /** Longest way of a message, ms. */
  delay = 200;
  /** Nodes that are down. */
  readonly down = new Set<string>();
  /** Nodes that are cut off from all others. */
  readonly cut = new Set<string>();

  /** Nobody is there at first. */
  constructor(
    clock: VirtualClock,
    random: SeededRandom,
    position: () => { readonly epoch: number; readonly elapsed: number },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#position = position;
  }

  /** Adds a node. */
  add(peerId: string): void {
    this.#replicas.set(peerId, new Replica());
  }

  /** Drops what an epoch left, everywhere. */
  forget(epoch: number): void {
    for (const replica of this.#replicas.values()) replica.forget(epoch);
  }

  /** How many other nodes hold a record under a key. */
  holders(key: string, owner: string): number {
    let count = 0;
    for (const [peerId, replica] of this.#replicas) {
      if (peerId === owner) continue;
      const held = replica.find(key, 0);
      if (held.some(({ subkey }) => peerOf(subkey) === owner)) count++;
    }
    return count;
  }

  /** Whether a node is connected to another one. */
  joined(peerId: string): boolean {
    return [...this.#replicas.keys()].some((other) =>
      other !== peerId && this.#passes(peerId, other)
    );
  }

  /** Records as a node stores and reads them. */
  store(peerId: string): RecordStore {
    return {
      store: (request, options) =>
        this.#store(peerId, request, options?.signal),
      get: (key, options) =>
        this.#get(peerId, String(key), options?.signal ?? undefined),
    };
  }

  #passes(from: string, to: string): boolean {
    return from === to ||
      !this.down.has(from) && !this.down.has(to) && !this.cut.has(from) &&
        !this.cut.has(to);
  }

  #way(): number {
    return this.#random.between(1, this.delay);
  }

  async #store(
    from: string,
    request: StoreRequest,
    signal: AbortSignal | undefined,
  ): Promise<StoreResult> {
    signal?.throwIfAborted();
    const replicas = await Promise.all(
      [...this.#replicas].map(async ([peerId, replica]) => {
        if (from !== peerId) await this.#clock.sleep(this.#way());
        const lost = from !== peerId && this.#random.happens(this.loss);
        if (lost || !this.#passes(from, peerId)) {
          return { peerId, outcome: "unreachable" as const };
        }
        const outcome = replica.take(
          request,
          this.#position(),
          (key, owner) => this.#lookUp(peerId, key, owner),
        );
        // The answer can get lost, too.
        return from !== peerId && this.#random.happens(this.loss)
          ? { peerId, outcome: "unreachable" as const }
          : { peerId, outcome };
      }),
    );
    signal?.throwIfAborted();
    const stored = replicas.filter(({ outcome }) => outcome === "stored");
    const quorum = Math.floor(replicas.length / 2) + 1;
    return { stored: stored.length >= quorum, quorum, replicas };
  }

  /** An owner's value as one of the others has it. */
  #lookUp(from: string, key: string, owner: string): MeshValue | undefined {
    for (const [peerId, replica] of this.#replicas) {
      if (peerId === from || !this.#passes(from, peerId)) continue;
      if (this.#random.happens(2 * this.loss)) continue;
      const value = replica.value(key, owner);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  async #get(
    from: string,
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<Found | undefined> {
    await this.#clock.sleep(this.#way() + this.#way());
    signal?.throwIfAborted();
    const now = this.#clock.now() / 1_000;
    const newest = new Map<string, Held>();
    for (const [peerId, replica] of this.#replicas) {
      if (!this.#passes(from, peerId)) continue;
      if (from !== peerId && this.#random.happens(2 * this.loss)) continue;
      for (const held of replica.find(key, now)) {
        const owner = toHex(held.subkey);
        const before = newest.get(owner);
        if (before === undefined || before.expiration < held.expiration) {
          newest.set(owner, held);
        }
      }
    }
    if (newest.size === 0) return undefined;
    return {
      kind: "dictionary",
      entries: [...newest.values()].map(({ subkey, value, expiration }) => ({
        subkeyBytes: subkey,
        ...{ subkey, value, expiration },
      })),
    };
  }
}
