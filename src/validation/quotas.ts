import { createHash } from "node:crypto";
import type { DhtRecord } from "../records/record.ts";
import { Float, Tuple } from "../records/values.ts";
import { encode } from "../records/serializer.ts";
import type { KeyRule } from "./key_rule.ts";

/** Bounds of {@linkcode Quotas}. */
export interface QuotaBounds {
  /**
   * Owners for whom one sender may hand records over: its own quota is so many
   * times the rule's.
   */
  readonly ownersPerSender: number;
  /** Most accounts of one rule in one epoch; further ones are refused. */
  readonly accounts: number;
  /** Epochs that are remembered. */
  readonly epochs: number;
}

const BOUNDS: QuotaBounds = {
  ownersPerSender: 512,
  accounts: 8_192,
  epochs: 5,
};

/** Whom a record is charged to. */
export interface Charge {
  /** The rule that gives the quota. */
  readonly rule: KeyRule;
  /** The epoch of the account. */
  readonly epoch: number;
  /** Whose record it is. */
  readonly owner: string;
  /** Who sent it; the owner when it is absent. */
  readonly sender?: string | undefined;
  /** The record, its value without the signature. */
  readonly record: DhtRecord;
}

interface Accounts {
  readonly spent: Map<string, number>;
  readonly last: Map<string, string>;
}

/**
 * Counts how many different records were stored per epoch, rule and account.
 *
 * A record is charged when it was stored and was not held before, to its owner
 * if the owner sent it and to the sender otherwise: nobody spends another's
 * quota. The same content again costs nothing. Where the quota is one, an
 * owner's first content stays the only one, whoever sends another.
 */
export class Quotas {
  readonly #bounds: QuotaBounds;
  readonly #epochs = new Map<number, Map<string, Accounts>>();

  /** Remembers within bounds. */
  constructor(bounds: Partial<QuotaBounds> = {}) {
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  /** Whether the record's account has room for it. */
  allows(charge: Charge): boolean {
    const { rule: { name, quota }, epoch, owner, record } = charge;
    if (quota === undefined) return true;
    const accounts = this.#epochs.get(epoch)?.get(name);
    if (accounts === undefined) return quota > 0;
    const last = accounts.last.get(owner);
    if (last !== undefined) {
      if (last === digest(record)) return true;
      if (quota === 1) return false;
    }
    const { account, limit } = this.#accountOf(charge, quota);
    const spent = accounts.spent.get(account);
    if (
      last === undefined && accounts.last.size >= this.#bounds.accounts ||
      spent === undefined && accounts.spent.size >= this.#bounds.accounts
    ) return false;
    return (spent ?? 0) < limit;
  }

  /** Charges a record that was stored. */
  charge(charge: Charge): void {
    const { rule: { name, quota }, epoch, owner, record } = charge;
    if (quota === undefined) return;
    const accounts = this.#open(epoch, name);
    const content = digest(record);
    if (accounts.last.get(owner) === content) return;
    accounts.last.set(owner, content);
    const { account } = this.#accountOf(charge, quota);
    accounts.spent.set(account, (accounts.spent.get(account) ?? 0) + 1);
  }

  #accountOf(
    { owner, sender = owner }: Charge,
    quota: number,
  ): { readonly account: string; readonly limit: number } {
    return sender === owner ? { account: `owner ${owner}`, limit: quota } : {
      account: `sender ${sender}`,
      limit: quota * this.#bounds.ownersPerSender,
    };
  }

  #open(epoch: number, rule: string): Accounts {
    let rules = this.#epochs.get(epoch);
    if (rules === undefined) {
      rules = new Map();
      this.#epochs.set(epoch, rules);
      const newest = Math.max(...this.#epochs.keys());
      for (const each of this.#epochs.keys()) {
        if (each <= newest - this.#bounds.epochs) this.#epochs.delete(each);
      }
    }
    let accounts = rules.get(rule);
    if (accounts === undefined) {
      accounts = { spent: new Map(), last: new Map() };
      rules.set(rule, accounts);
    }
    return accounts;
  }
}

function digest({ subkey, value, expiration }: DhtRecord): string {
  const content = encode(new Tuple([subkey, value, new Float(expiration)]));
  return createHash("sha256").update(content).digest("base64");
}
