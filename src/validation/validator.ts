import type { DhtRecord } from "../records/record.ts";

/**
 * Why a record is looked at: a writer stores it here (`post`), another replica
 * hands its copy over (`copy`), or it was received on a read (`get`).
 */
export type ValidationType = "get" | "post" | "copy";

/**
 * What is to be done with a record: `later` means that what it depends on is
 * not known here yet, so that the same record may be sent again.
 */
export type Verdict = "ok" | "refused" | "later";

/** A rule for records. */
export interface RecordValidator {
  /** Validators of higher priority see a record first, and sign it last. */
  readonly priority: number;
  /**
   * Whether the record may be stored or used. Bad bytes give false, never an
   * error. `sender` is the peer that sent it, absent for our own records.
   */
  validate(record: DhtRecord, type: ValidationType, sender?: string): boolean;
  /** Like `validate`, for rules that may have to wait; `validate` decides without it. */
  judge?(record: DhtRecord, type: ValidationType, sender?: string): Verdict;
  /** Looks up what a record that was judged `later` depends on, to judge it anew. Never rejects. */
  learn?(record: DhtRecord, signal?: AbortSignal): Promise<void>;
  /** Is told of records that were stored here and were not held before. */
  stored?(record: DhtRecord, type: ValidationType, sender?: string): void;
  /** The record's value, prepared for storing. */
  signValue(record: DhtRecord): Uint8Array;
  /** The value without what {@linkcode RecordValidator.signValue} added. */
  stripValue(record: DhtRecord): Uint8Array;
  /** Takes the other validator's duty over, if it can; the other is unchanged. */
  mergeWith(other: RecordValidator): boolean;
}

/** A validator's verdict on a record. A rule that throws refuses the record and nothing else. */
export function judge(
  validator: RecordValidator,
  record: DhtRecord,
  type: ValidationType,
  sender?: string,
): Verdict {
  try {
    if (validator.judge !== undefined) {
      return validator.judge(record, type, sender);
    }
    return validator.validate(record, type, sender) ? "ok" : "refused";
  } catch {
    return "refused";
  }
}
