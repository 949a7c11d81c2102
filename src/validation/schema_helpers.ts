import type { AnySchema } from "./schema.ts";

const latin1 = new TextDecoder("latin1");
const PUBLIC_KEY = /\[owner:[^\n]+?\]/;

/**
 * A schema of bytes that match a pattern, each byte standing for the character
 * of its number.
 */
export function bytesMatching(
  pattern: RegExp,
): AnySchema {
  return {
    "~standard": {
      version: 1,
      vendor: "meshnode",
      validate: (value) => {
        // A pattern with the flag g remembers where it was.
        pattern.lastIndex = 0;
        return value instanceof Uint8Array &&
            pattern.test(latin1.decode(value))
          ? { value }
          : { issues: [{ message: `These are no bytes like ${pattern}.` }] };
      },
    },
  };
}

/** A schema of bytes that contain an owner's public key, as owned subkeys do. */
export function bytesWithPublicKey(): AnySchema {
  return bytesMatching(PUBLIC_KEY);
}
