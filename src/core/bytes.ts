/** Bytes backed by a plain `ArrayBuffer`, as WebCrypto and `node:sqlite` want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Joins byte arrays into one new array. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Byte-wise lexicographic comparison: negative, zero or positive. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether two byte arrays hold the same bytes. Not constant time. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compare(a, b) === 0;
}

/** Lower-case hexadecimal text of the bytes. */
export function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/**
 * Bytes of a hexadecimal text.
 *
 * @throws {SyntaxError} when the text is not an even number of hex digits.
 */
export function fromHex(text: string): Bytes {
  return Uint8Array.fromHex(text);
}
