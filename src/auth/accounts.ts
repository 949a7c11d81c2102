import { type Quota, TokenBucket } from "../core/token_bucket.ts";
import { Standing } from "./standing.ts";

/** What is remembered of a peer, or of the peers that share a place. */
export class Account {
  readonly #buckets = new Map<string, TokenBucket>();
  /** What was asked, and what came of it. */
  readonly standing: Standing;

  /** Measures against so many tokens a second. */
  constructor(perSecond: number, now: number) {
    this.standing = new Standing(perSecond, now);
  }

  /** What is left of a quota; the names are of a closed set. */
  bucket(name: string, quota: Quota, now: number): TokenBucket {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new TokenBucket(quota, now);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }

  /** Whether forgetting it changes nothing. */
  isClean(now: number): boolean {
    return this.standing.isClean(now) &&
      [...this.#buckets.values()].every((bucket) => bucket.isFull(now));
  }
}

/** A full table is looked through once in so long, ms. */
const PRUNE_PERIOD = 1_000;

/** A bounded number of accounts, of which only clean ones are ever forgotten. */
export class Accounts {
  readonly #accounts = new Map<string, Account>();
  readonly #most: number;
  readonly #perSecond: number;
  #prunedAt = -Infinity;

  /** Holds so many accounts, measured against so many tokens a second. */
  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
  }

  /** Accounts held. */
  get size(): number {
    return this.#accounts.size;
  }

  /** The account of that name, if there is one. */
  get(name: string): Account | undefined {
    return this.#accounts.get(name);
  }

  /** The account of that name, opened if there is room for it. */
  open(name: string, now: number): Account | undefined {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    return this.#hasRoom(now) ? this.#add(name, now) : undefined;
  }

  /** The account of that name, opened even if there is no room: for one name only. */
  force(name: string, now: number): Account {
    return this.#accounts.get(name) ?? this.#add(name, now);
  }

  #add(name: string, now: number): Account {
    const account = new Account(this.#perSecond, now);
    this.#accounts.set(name, account);
    return account;
  }

  #hasRoom(now: number): boolean {
    if (this.#accounts.size < this.#most) return true;
    if (now - this.#prunedAt < PRUNE_PERIOD) return false;
    this.#prunedAt = now;
    for (const [name, account] of this.#accounts) {
      if (account.isClean(now)) this.#accounts.delete(name);
    }
    return this.#accounts.size < this.#most;
  }
}
