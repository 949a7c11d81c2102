/** Bounds of what a peer holds. Sizes count subkey, value and a fixed share for the rest. */
export interface StorageLimits {
  /** Most bytes of one record's subkey and value. */
  readonly recordBytes: number;
  /** Most subkeys of one key. */
  readonly subkeys: number;
  /** Most records of one owner. */
  readonly ownerRecords: number;
  /** Most bytes of one owner's records. */
  readonly ownerBytes: number;
  /** Most records. */
  readonly records: number;
  /** Most bytes of all records together. */
  readonly bytes: number;
}

/** The defaults for records in memory. */
export const MEMORY_LIMITS: StorageLimits = {
  recordBytes: 1024 * 1024 + 2048,
  subkeys: 4_096,
  ownerRecords: 16_384,
  ownerBytes: 16 * 1024 * 1024,
  records: 131_072,
  bytes: 64 * 1024 * 1024,
};

/** The defaults for records in a file. */
export const FILE_LIMITS: StorageLimits = {
  ...MEMORY_LIMITS,
  ownerRecords: 65_536,
  ownerBytes: 64 * 1024 * 1024,
  records: 1_048_576,
  bytes: 512 * 1024 * 1024,
};

/** What a record takes besides its subkey and value: key, expiration, indexes. */
const OVERHEAD = 128;

/** The bytes that a record counts for. */
export function sizeOf(
  record: { readonly subkey: Uint8Array; readonly value: Uint8Array },
): number {
  return record.subkey.length + record.value.length + OVERHEAD;
}
