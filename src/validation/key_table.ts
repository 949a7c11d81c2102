import { toHex } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";
import { dhtId } from "../records/dht_id.ts";
import type { KeyRule } from "./key_rule.ts";

/** Epochs whose records may still live: they are written in one and live for two more. */
const PAST_EPOCHS = 3;
/** At its end, others may be in the next epoch already. */
const FUTURE_EPOCHS = 1;

/** What a key is: the rule for it, and the epoch that it names. */
export interface KeyMeaning {
  /** The rule. */
  readonly rule: KeyRule;
  /** The epoch of a key that belongs to one. */
  readonly epoch?: number;
}

/** Knows keys by their hashes: those that never change, and those of the epochs around now. */
export class KeyTable {
  readonly #fixed = new Map<string, KeyMeaning>();
  readonly #perEpoch: KeyRule[] = [];
  readonly #others: KeyRule | undefined;
  #ofEpochs = new Map<string, KeyMeaning>();
  #epoch: number | undefined;

  /** @throws {MeshError} `RULES_INVALID` when two rules have one name, or more than one has no key. */
  constructor(rules: readonly KeyRule[]) {
    const names = new Set<string>();
    for (const rule of rules) {
      if (names.has(rule.name)) {
        throw invalid(`Two rules are named "${rule.name}".`);
      }
      names.add(rule.name);
      if (rule.key === undefined) {
        if (this.#others !== undefined) {
          throw invalid("More than one rule has no key.");
        }
        this.#others = rule;
      } else if (typeof rule.key === "function") {
        this.#perEpoch.push(rule);
      } else {
        this.#fixed.set(toHex(dhtId(rule.key)), { rule });
      }
    }
    for (const { name, reveals } of rules) {
      if (reveals !== undefined && !names.has(reveals)) {
        throw invalid(`The rule "${name}" opens "${reveals}", which is none.`);
      }
    }
  }

  /** Whether some keys have a meaning only once the epoch is known. */
  get needsEpoch(): boolean {
    return this.#perEpoch.length > 0;
  }

  /** What a key is, in an epoch; `undefined` for a key that no rule is for. */
  meaningOf(
    key: Uint8Array,
    epoch: number | undefined,
  ): KeyMeaning | undefined {
    if (epoch !== undefined && epoch !== this.#epoch) this.#enter(epoch);
    const place = toHex(key);
    return this.#fixed.get(place) ?? this.#ofEpochs.get(place) ??
      (this.#others && { rule: this.#others });
  }

  #enter(epoch: number): void {
    this.#epoch = epoch;
    this.#ofEpochs = new Map();
    const first = Math.max(0, epoch - PAST_EPOCHS);
    for (let each = first; each <= epoch + FUTURE_EPOCHS; each++) {
      for (const rule of this.#perEpoch) {
        if (typeof rule.key !== "function") continue;
        const place = toHex(dhtId(rule.key(each)));
        this.#ofEpochs.set(place, { rule, epoch: each });
      }
    }
  }
}

function invalid(message: string): MeshError {
  return new MeshError("RULES_INVALID", `The subnet's rules fail: ${message}`, {
    hint: "Correct the rules that the subnet gives.",
  });
}
