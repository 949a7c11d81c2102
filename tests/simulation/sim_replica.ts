import {
  commitKey,
  commitRevealRules,
  encode,
  type EpochTime,
  equal,
  HEARTBEAT_KEY,
  heartbeatKeyRule,
  type KeyRule,
  type MeshValue,
  opens,
  parseReveal,
  revealKey,
  type StoreRequest,
  subkeyOwner,
  TOLERANCE,
  windowState,
} from "../../mod.ts";
import { blocksInto } from "../../src/validation/key_rule.ts";

/** One record. */
export interface Held {
  readonly subkey: Uint8Array;
  readonly value: MeshValue;
  /** DHT time (Unix seconds). */
  readonly expiration: number;
}

/** What a replica knows of the time. */
export interface Senses {
  /** Its own clock, ms. */
  now(): number;
  /** Where the chain stands, as far as it heard. */
  position(): EpochTime | undefined;
}

/** What a replica does with a record. */
export type Taken = "stored" | "older" | "refused" | "later";

interface Ruled {
  readonly rule: KeyRule;
  /** Absent for records that belong to no epoch. */
  readonly epoch?: number;
}

const [COMMIT, REVEAL] = commitRevealRules() as [KeyRule, KeyRule];
const HEARTBEAT: Ruled = { rule: heartbeatKeyRule() };
/** Seconds by which clocks may differ, as the record rules have it. */
const SKEW = 3;

const owners = new WeakMap<Uint8Array, string>();

/** Whose record is under a subkey. */
export function ownerOf(subkey: MeshValue | undefined): string {
  const bytes = subkey as Uint8Array;
  let owner = owners.get(bytes);
  if (owner === undefined) {
    owner = subkeyOwner(bytes) as string;
    owners.set(bytes, owner);
  }
  return owner;
}

/**
 * What one node holds, by the windows, lives and quotas of the record rules. It
 * is on its disk: a restart does not lose it. Signatures are left out, as nobody
 * here writes for another: the DHT's own tests have them.
 */
export class Replica {
  readonly #senses: Senses;
  readonly #keys = new Map<string, Map<string, Held>>();

  /** Holds nothing yet. */
  constructor(senses: Senses) {
    this.#senses = senses;
  }

  /** Its own clock, ms. */
  now(): number {
    return this.#senses.now();
  }

  /** Takes a record from its owner, or a copy from another one. */
  async take(
    { key, subkey, value, expiration }: StoreRequest,
    sender: string,
    lookUp: (key: string, owner: string) => Promise<MeshValue | undefined>,
  ): Promise<Taken> {
    const name = String(key);
    const owner = ownerOf(subkey);
    const ruled = ruleOf(name);
    if (!this.#lives(ruled, expiration)) return "refused";
    const window = this.#window(ruled, sender !== owner);
    if (window !== "stored") return window;
    if (ruled.rule === REVEAL) {
      const key = commitKey(ruled.epoch as number);
      const commit = this.#value(key, owner) ?? await lookUp(key, owner);
      if (!(commit instanceof Uint8Array)) return "later";
      const reveal = parseReveal(value);
      if (!opens(reveal, commit, ruled.epoch as number, owner)) {
        return "refused";
      }
    }
    const held = this.#keys.get(name) ?? new Map<string, Held>();
    const before = held.get(owner);
    if (before !== undefined) {
      if (ruled.rule.quota === 1) {
        return equal(encode(before.value), encode(value))
          ? "stored"
          : "refused";
      }
      if (before.expiration > expiration) return "older";
    }
    held.set(owner, { subkey: subkey as Uint8Array, value, expiration });
    this.#keys.set(name, held);
    return "stored";
  }

  /** What lives under a key by its own clock; of some owners, or of all. */
  find(key: string, owners?: ReadonlySet<string>): Held[] {
    const now = this.#senses.now() / 1_000;
    const found: Held[] = [];
    for (const [owner, held] of this.#keys.get(key) ?? []) {
      if (held.expiration < now) continue;
      if (owners === undefined || owners.has(owner)) found.push(held);
    }
    return found;
  }

  /** All that lives, commits before what opens them. */
  all(): StoreRequest[] {
    const keys = [...this.#keys.keys()].sort();
    return keys.flatMap((key) =>
      this.find(key).map((held) => ({ key, ...held }))
    );
  }

  /** Whether it would believe a record that it is given on a read. */
  believes(key: string, { expiration }: Held): boolean {
    return this.#lives(ruleOf(key), expiration);
  }

  /** Whether it holds a record of an owner, dead or alive. */
  holds(key: string, owner: string): boolean {
    return this.#value(key, owner) !== undefined;
  }

  /** Whether it holds a record, or a newer one of the same owner. */
  hasAsNew({ key, subkey, expiration }: StoreRequest): boolean {
    const held = this.#keys.get(String(key))?.get(ownerOf(subkey));
    return held !== undefined && held.expiration >= expiration;
  }

  /** Drops what an epoch left. */
  forget(epoch: number): void {
    this.#keys.delete(commitKey(epoch));
    this.#keys.delete(revealKey(epoch));
  }

  #value(key: string, owner: string): MeshValue | undefined {
    return this.#keys.get(key)?.get(owner)?.value;
  }

  #lives({ rule, epoch }: Ruled, expiration: number): boolean {
    const now = this.#senses.position();
    const left = expiration - this.#senses.now() / 1_000;
    if (now === undefined || left < 0) return false;
    const { length, blockSeconds } = now;
    const longest = (rule.lifetime ?? 1) * length * blockSeconds + SKEW;
    if (left > longest) return false;
    if (epoch === undefined) return true;
    const { late } = rule.tolerance ?? TOLERANCE;
    const closes = (rule.window?.to ?? 1) * length + late;
    return left <= longest - (blocksInto(epoch, now) - closes) * blockSeconds;
  }

  #window({ rule, epoch }: Ruled, isCopy: boolean): Taken {
    const now = this.#senses.position();
    if (epoch === undefined || now === undefined) return "stored";
    const state = windowState(rule, epoch, now);
    if (state === "early") return "later";
    return state === "over" && !isCopy ? "refused" : "stored";
  }
}

function ruleOf(key: string): Ruled {
  if (key === HEARTBEAT_KEY) return HEARTBEAT;
  const epoch = Number(key.slice(key.lastIndexOf("_") + 1));
  if (key === commitKey(epoch)) return { rule: COMMIT, epoch };
  if (key === revealKey(epoch)) return { rule: REVEAL, epoch };
  throw new Error(`No record rule of the simulation is for ${key}.`);
}
