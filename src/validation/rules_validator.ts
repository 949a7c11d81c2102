import { equal } from "../core/bytes.ts";
import { type Clock, dhtTime, systemClock } from "../core/clock.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { DhtRecord } from "../records/record.ts";
import { decode } from "../records/serializer.ts";
import { opens, parseCommit, parseReveal } from "./commit_reveal.ts";
import { type CommitName, Commits, type CommitSource } from "./commits.ts";
import {
  blocksInto,
  type EpochClock,
  type EpochTime,
  type KeyRule,
  TOLERANCE,
  windowState,
} from "./key_rule.ts";
import { KeyTable } from "./key_table.ts";
import { recordOwner } from "./owned_subkey.ts";
import { type QuotaBounds, Quotas } from "./quotas.ts";
import type { RecordValidator, ValidationType, Verdict } from "./validator.ts";

/** Says whether the owner of a record takes part in the subnet. */
export interface OwnerOracle {
  /** Answers from what is known; `undefined` about strangers. */
  peek(peerId: string): "staked" | "not-staked" | "unknown" | undefined;
}

/** Options of {@linkcode RulesValidator}. */
export interface RulesOptions {
  /** The kinds of records that there are. Records under any other key are refused. */
  readonly rules: readonly KeyRule[];
  /** Where the chain stands. */
  readonly epochs: EpochClock;
  /** Whose records are taken; everybody's by default. */
  readonly owners?: OwnerOracle;
  /** Where the commits are that reveals open. */
  readonly commits?: CommitSource;
  /**
   * The record that is held under a subkey, its value without the signature:
   * where there is one only, it stays the only one after a restart, too.
   */
  readonly held?: (
    key: Uint8Array,
    subkey: Uint8Array,
  ) => DhtRecord | undefined;
  /** Bounds of the accounts. */
  readonly quotas?: Partial<QuotaBounds>;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** By how many seconds the clocks of two nodes may differ. */
const SKEW = 3;

/** A record that a rule is for. */
interface Case {
  readonly rule: KeyRule;
  /** The epoch of its key, or the present one. */
  readonly epoch: number | undefined;
  /** Whether the key names the epoch. */
  readonly perEpoch: boolean;
  readonly now: EpochTime | undefined;
  readonly owner: string | undefined;
  readonly record: DhtRecord;
  readonly type: ValidationType;
  readonly sender: string | undefined;
}

/**
 * Takes only records of the kinds that a subnet has, by rules that are data:
 * key, owner, size and lifetime on every path, windows of the epoch when a
 * writer stores, quotas when something is stored, and for reveals the commit
 * that they open.
 */
export class RulesValidator implements RecordValidator {
  /** After the signature was checked, before the schema. */
  readonly priority = 9;
  readonly #options: RulesOptions;
  readonly #table: KeyTable;
  readonly #commits: Commits;
  readonly #quotas: Quotas;
  readonly #clock: Clock;
  readonly #metrics: Metrics;

  /**
   * Starts with empty accounts.
   *
   * @throws {MeshError} `RULES_INVALID` when the rules do not fit together.
   */
  constructor(options: RulesOptions) {
    this.#options = options;
    this.#table = new KeyTable(options.rules);
    this.#commits = new Commits(options.commits);
    this.#quotas = new Quotas(options.quotas);
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
  }

  /** Whether the record is taken now. */
  validate(record: DhtRecord, type: ValidationType, sender?: string): boolean {
    return this.judge(record, type, sender) === "ok";
  }

  /** Judges by the rule for the record's key. */
  judge(record: DhtRecord, type: ValidationType, sender?: string): Verdict {
    const found = this.#caseOf(record, type, sender);
    if (found === undefined) {
      // Before the chain was read, keys of epochs look like keys of nothing.
      const early = type !== "get" && this.#table.needsEpoch &&
        this.#options.epochs.now() === undefined;
      return early
        ? this.#not("later", "", "epoch", type)
        : this.#not("refused", "", "key", type);
    }
    const { rule: { name, lifetime } } = found;
    if (found.now === undefined && lifetime !== undefined && type !== "get") {
      return this.#not("later", name, "epoch", type);
    }
    const wrong = this.#flaw(found);
    if (wrong !== undefined) return this.#not("refused", name, wrong, type);
    const stake = this.#judgeOwner(found);
    if (stake !== "ok") return this.#not(stake, name, "stake", type);
    return type === "get" ? "ok" : this.#judgeStore(found);
  }

  /** Looks up the commit that a reveal opens. */
  async learn(record: DhtRecord, signal?: AbortSignal): Promise<void> {
    const found = this.#caseOf(record, "post", undefined);
    if (found === undefined) return;
    const commit = commitOf(found);
    if (
      commit === undefined || this.#judgeOwner(found) !== "ok" ||
      this.#commits.get(commit) !== undefined
    ) return;
    await this.#commits.learn(commit, record.subkey, parseCommit, signal);
  }

  /** Charges the record, and remembers commits. */
  stored(record: DhtRecord, type: ValidationType, sender?: string): void {
    const found = this.#caseOf(record, type, sender);
    if (found?.epoch === undefined) return;
    const { rule, epoch } = found;
    const owner = payer(found);
    const charge = { rule, epoch, owner, sender: found.sender, record };
    this.#quotas.charge(charge);
    if (this.#options.rules.some(({ reveals }) => reveals === rule.name)) {
      const committed = parseCommit(record.value);
      const name = { rule: rule.name, epoch, owner };
      if (committed !== undefined) this.#commits.set(name, committed);
    }
  }

  /** Rules add nothing. */
  signValue(record: DhtRecord): Uint8Array {
    return record.value;
  }

  /** Rules add nothing. */
  stripValue(record: DhtRecord): Uint8Array {
    return record.value;
  }

  /** Every set of rules stays in force. */
  mergeWith(_other: RecordValidator): boolean {
    return false;
  }

  #caseOf(
    record: DhtRecord,
    type: ValidationType,
    sender: string | undefined,
  ): Case | undefined {
    const now = this.#options.epochs.now();
    const meaning = this.#table.meaningOf(record.key, now?.epoch);
    if (meaning === undefined) return undefined;
    return {
      rule: meaning.rule,
      epoch: meaning.epoch ?? now?.epoch,
      perEpoch: meaning.epoch !== undefined,
      now,
      owner: recordOwner(record.subkey),
      record,
      type,
      // What we ourselves repair is nobody's quota but ours.
      sender: sender ?? (type === "copy" ? "self" : undefined),
    };
  }

  /** What is wrong with the record itself, on every path alike. */
  #flaw(found: Case): string | undefined {
    const { rule, owner, record, type, sender } = found;
    if (record.value.length > (rule.maxBytes ?? Infinity)) return "size";
    if ((rule.owned ?? true) && owner === undefined) return "owner";
    if (!this.#livesRightly(found)) return "lifetime";
    try {
      return rule.check?.(record, type, sender) === false ? "check" : undefined;
    } catch {
      return "check";
    }
  }

  #judgeOwner({ owner, type }: Case): Verdict {
    const { owners } = this.#options;
    if (owner === undefined || owners === undefined) return "ok";
    const stake = owners.peek(owner);
    if (stake === "staked") return "ok";
    if (type === "get") return stake === "unknown" ? "ok" : "refused";
    // A member that joined with the newest block may not be known here yet.
    return stake === "not-staked" ? "refused" : "later";
  }

  #livesRightly({ rule, epoch, perEpoch, now, record }: Case): boolean {
    if (rule.lifetime === undefined) return true;
    if (now === undefined || epoch === undefined) return false;
    const { length, blockSeconds } = now;
    const longest = rule.lifetime * length * blockSeconds + SKEW;
    const left = record.expiration - dhtTime(this.#clock);
    if (!(left <= longest)) return false;
    if (!perEpoch) return true;
    // Written when its window closed at the latest, it lives for so long from then.
    const { late } = rule.tolerance ?? TOLERANCE;
    const closes = (rule.window?.to ?? 1) * length + late;
    const sinceClosed = (blocksInto(epoch, now) - closes) * blockSeconds;
    return left <= longest - sinceClosed;
  }

  #judgeStore(found: Case): Verdict {
    const { rule, epoch, perEpoch, now, owner, record, type, sender } = found;
    const { name, reveals } = rule;
    if (perEpoch && epoch !== undefined && now !== undefined) {
      const state = windowState(rule, epoch, now);
      if (state === "early") return this.#not("later", name, "window", type);
      // The owner's word that it is a copy is no reason to take it late.
      const copied = type === "copy" && sender !== owner;
      if (state === "over" && !copied) {
        return this.#not("refused", name, "window", type);
      }
    }
    if (epoch === undefined) {
      return rule.quota === undefined
        ? "ok"
        : this.#not("later", name, "epoch", type);
    }
    const charge = { rule, epoch, owner: payer(found), sender, record };
    if (!this.#quotas.allows(charge) || this.#isSecond(found)) {
      return this.#not("refused", name, "quota", type);
    }
    if (reveals === undefined || owner === undefined) return "ok";
    const committed = this.#commits.get({ rule: reveals, epoch, owner });
    if (committed === undefined) {
      return this.#not("later", name, "commit", type);
    }
    const reveal = parseReveal(decode(record.value));
    return opens(reveal, committed, epoch, owner)
      ? "ok"
      : this.#not("refused", name, "commit", type);
  }

  /** Whether another record is held where there can be one only. */
  #isSecond({ rule, perEpoch, record }: Case): boolean {
    if (rule.quota !== 1 || !perEpoch) return false;
    const held = this.#options.held?.(record.key, record.subkey);
    return held !== undefined &&
      (held.expiration !== record.expiration ||
        !equal(held.value, record.value));
  }

  #not(
    verdict: Verdict,
    rule: string,
    reason: string,
    type: ValidationType,
  ): Verdict {
    this.#metrics.count("meshnode_record_refusals_total", {
      verdict,
      rule,
      reason,
      type,
    });
    return verdict;
  }
}

/** Whose quota it is: the owner's, or who sent it where records have none. */
function payer({ owner, sender }: Case): string {
  return owner ?? sender ?? "";
}

function commitOf({ rule, epoch, owner }: Case): CommitName | undefined {
  return rule.reveals === undefined || epoch === undefined ||
      owner === undefined
    ? undefined
    : { rule: rule.reveals, epoch, owner };
}
