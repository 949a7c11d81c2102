/**
 * JSON for programs: amounts as decimal text, since they exceed what numbers
 * hold exactly, bytes as hex with `0x`, maps as objects.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === "bigint") return each.toString();
    if (each instanceof Uint8Array) return `0x${each.toHex()}`;
    if (each instanceof Map) return Object.fromEntries(each);
    if (each instanceof Set) return [...each];
    return each;
  });
}
