/**
 * Codes of msgpack's extension values in records: the reference's, and that of
 * tombstones, which the reference passes on as bytes that it does not know.
 */
export const EXT = { tuple: 0x40, dictionary: 0x50, tombstone: 0x54 } as const;

/** Bounds of every serialized value, whoever made it. */
export const LIMITS = {
  /** Longest serialized value, in bytes. */
  bytes: 4 * 1024 * 1024,
  /** Deepest nesting of arrays, maps and tuples. */
  depth: 32,
  /** Most items in all arrays, maps and tuples of one value together. */
  items: 65_536,
} as const;
