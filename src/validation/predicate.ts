import type { DhtRecord } from "../records/record.ts";
import type { RecordValidator, ValidationType } from "./validator.ts";

/**
 * A subnet's own rule for records. Must not throw; an error counts as false.
 * `sender` is the peer that sent the record, absent for our own.
 */
export type RecordPredicate = (
  record: DhtRecord,
  type: ValidationType,
  sender?: string,
) => boolean;

/** Accepts the records that every one of its predicates accepts. */
export class PredicateValidator implements RecordValidator {
  /** After the signature was checked, before the schema. */
  readonly priority = 9;
  readonly #predicates: readonly RecordPredicate[];

  /** All predicates must hold. */
  constructor(...predicates: readonly RecordPredicate[]) {
    this.#predicates = predicates;
  }

  /** Whether all predicates hold. */
  validate(record: DhtRecord, type: ValidationType, sender?: string): boolean {
    try {
      return this.#predicates.every((holds) => holds(record, type, sender));
    } catch {
      return false;
    }
  }

  /** Predicates add nothing. */
  signValue(record: DhtRecord): Uint8Array {
    return record.value;
  }

  /** Predicates add nothing. */
  stripValue(record: DhtRecord): Uint8Array {
    return record.value;
  }

  /** Every predicate stays in force: none is dropped in favour of another. */
  mergeWith(_other: RecordValidator): boolean {
    return false;
  }
}
