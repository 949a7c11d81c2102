import { concat } from "../../mod.ts";
import type { SeededRandom } from "./random.ts";

/** Bytes at which decoders decide: ends of ranges, type codes, length heads. */
const TELLING = [
  ...[0x00, 0x01, 0x04, 0x08, 0x0a, 0x12, 0x40, 0x50, 0x7f, 0x80, 0x8f, 0x90],
  ...[0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcf],
  ...[0xd3, 0xd4, 0xd8, 0xdb, 0xdd, 0xdf, 0xe0, 0xfe, 0xff, 0x22, 0x5b, 0x7b],
];
/** Numbers that overflow something, as 8 bytes. */
const WIDE = ["ffffffffffffffff", "7ff0000000000000", "7ff8000000000000"]
  .map((hex) => Uint8Array.fromHex(hex));
const MOST_BYTES = 64 * 1024;

type Step = (
  bytes: Uint8Array,
  random: SeededRandom,
  others: readonly Uint8Array[],
) => Uint8Array;

const at = (bytes: Uint8Array, random: SeededRandom) =>
  random.below(bytes.length + 1);

const STEPS: readonly Step[] = [
  // One bit is another.
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const changed = bytes.slice();
    const i = random.below(bytes.length);
    changed[i] = (changed[i] as number) ^ (1 << random.below(8));
    return changed;
  },
  // One byte is a telling one.
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const changed = bytes.slice();
    changed[random.below(bytes.length)] = random.pick(TELLING);
    return changed;
  },
  // Several bytes are a number at the end of its range.
  (bytes, random) => {
    const wide = random.pick(WIDE).subarray(0, 1 << random.below(4));
    const changed = bytes.slice();
    const i = random.below(Math.max(1, bytes.length - wide.length));
    changed.set(wide.subarray(0, Math.max(0, bytes.length - i)), i);
    return changed;
  },
  // Something comes in between.
  (bytes, random) => {
    const i = at(bytes, random);
    const piece = Uint8Array.from(
      { length: 1 + random.below(8) },
      () => random.pick(TELLING),
    );
    return concat(bytes.subarray(0, i), piece, bytes.subarray(i));
  },
  // Something is missing.
  (bytes, random) => {
    const i = at(bytes, random);
    return concat(
      bytes.subarray(0, i),
      bytes.subarray(i + 1 + random.below(16)),
    );
  },
  // It ends early.
  (bytes, random) => bytes.slice(0, at(bytes, random)),
  // A part comes twice.
  (bytes, random) => {
    const i = at(bytes, random);
    const piece = bytes.subarray(i, i + 1 + random.below(64));
    return concat(bytes.subarray(0, i), piece, bytes.subarray(i));
  },
  // It goes on as another one.
  (bytes, random, others) => {
    const other = random.pick(others);
    return concat(
      bytes.subarray(0, at(bytes, random)),
      other.subarray(at(other, random)),
    );
  },
];

/** Changes a valid sample in one to a few places. */
export function mutate(
  samples: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array {
  let bytes: Uint8Array = random.pick(samples);
  for (let left = 1 + random.below(4); left > 0; left--) {
    bytes = random.pick(STEPS)(bytes, random, samples);
  }
  return bytes.length > MOST_BYTES ? bytes.slice(0, MOST_BYTES) : bytes;
}
