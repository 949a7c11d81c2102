import type { DhtRecord } from "../records/record.ts";
import {
  judge,
  type RecordValidator,
  type ValidationType,
  type Verdict,
} from "./validator.ts";

/**
 * Several validators as one: a record is signed in ascending order of
 * priority, and validated and stripped in descending order, each validator
 * seeing the value without what the ones before it added.
 */
export class CompositeValidator implements RecordValidator {
  /** Composites are outermost, so that their priority does not matter. */
  readonly priority = 0;
  #validators: RecordValidator[] = [];

  /** Starts with some validators. */
  constructor(validators: Iterable<RecordValidator> = []) {
    this.add(...validators);
  }

  /** The validators, in ascending order of priority. */
  get validators(): readonly RecordValidator[] {
    return this.#validators;
  }

  /** Adds validators, merging each into a present one where that is possible. */
  add(...validators: readonly RecordValidator[]): void {
    for (const validator of validators) {
      if (this.#validators.some((present) => present.mergeWith(validator))) {
        continue;
      }
      this.#validators.push(validator);
    }
    this.#validators.sort((a, b) => a.priority - b.priority);
  }

  /** Whether every validator accepts the record. */
  validate(record: DhtRecord, type: ValidationType, sender?: string): boolean {
    return this.judge(record, type, sender) === "ok";
  }

  /** The first verdict that is not `ok`. */
  judge(record: DhtRecord, type: ValidationType, sender?: string): Verdict {
    for (const { validator, seen } of this.#unwrap(record)) {
      const verdict = judge(validator, seen, type, sender);
      if (verdict !== "ok") return verdict;
    }
    return "ok";
  }

  /** Lets every validator look up what it needs. */
  async learn(record: DhtRecord, signal?: AbortSignal): Promise<void> {
    const looking = [...this.#unwrap(record)].map(({ validator, seen }) =>
      validator.learn?.(seen, signal)
    );
    await Promise.all(looking);
  }

  /** Tells every validator. */
  stored(record: DhtRecord, type: ValidationType, sender?: string): void {
    for (const { validator, seen } of this.#unwrap(record)) {
      validator.stored?.(seen, type, sender);
    }
  }

  /** Signs in ascending order. */
  signValue(record: DhtRecord): Uint8Array {
    return this.#validators.reduce(
      (value, validator) => validator.signValue({ ...record, value }),
      record.value,
    );
  }

  /** Strips in descending order. */
  stripValue(record: DhtRecord): Uint8Array {
    return this.#validators.reduceRight(
      (value, validator) => validator.stripValue({ ...record, value }),
      record.value,
    );
  }

  /** A composite takes over nobody's duty. */
  mergeWith(_other: RecordValidator): boolean {
    return false;
  }

  /** The validators in descending order, each with the record as it sees it. */
  *#unwrap(
    record: DhtRecord,
  ): Generator<{ validator: RecordValidator; seen: DhtRecord }> {
    let seen = record;
    for (const validator of this.#validators.toReversed()) {
      yield { validator, seen };
      seen = { ...seen, value: validator.stripValue(seen) };
    }
  }
}
