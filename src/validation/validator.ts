import type { DhtRecord } from "../records/record.ts";

/** Whether a record is to be stored here (post) or was received on a read (get). */
export type ValidationType = "get" | "post";

/** A rule for records. */
export interface RecordValidator {
  /** Validators of higher priority see a record first, and sign it last. */
  readonly priority: number;
  /** Whether the record may be stored or used. Bad bytes give false, never an error. */
  validate(record: DhtRecord, type: ValidationType): boolean;
  /** The record's value, prepared for storing. */
  signValue(record: DhtRecord): Uint8Array;
  /** The value without what {@linkcode RecordValidator.signValue} added. */
  stripValue(record: DhtRecord): Uint8Array;
  /** Takes the other validator's duty over, if it can; the other is unchanged. */
  mergeWith(other: RecordValidator): boolean;
}
