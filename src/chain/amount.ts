import { MeshError } from "../core/errors.ts";
import { ONE } from "./types.ts";

/** Largest number that the chain's u128 holds. */
const MAX = 2n ** 128n - 1n;
const DECIMALS = 18;

/** The error for a text that is no amount. */
export class AmountError extends MeshError {
  /** Says what is wrong with it. */
  constructor(message: string, hint: string) {
    super("AMOUNT_INVALID", message, { hint });
    this.name = "AmountError";
  }
}

/**
 * Base units of an amount in TENSOR, such as `100`, `0.5` or `1_000.25`.
 *
 * Nothing is rounded: what has more than 18 decimals is refused.
 *
 * @throws {AmountError}
 */
export function parseTensor(text: string): bigint {
  return scaled(text, {
    what: "an amount in TENSOR",
    hint: "Write it like 100, 0.5 or 1_000.25.",
  });
}

/** An amount in TENSOR with all of its decimals, such as `104.627509`. */
export function formatTensor(baseUnits: bigint): string {
  const sign = baseUnits < 0n ? "-" : "";
  const digits = (baseUnits < 0n ? -baseUnits : baseUnits).toString()
    .padStart(DECIMALS + 1, "0");
  const whole = digits.slice(0, -DECIMALS)
    .replaceAll(/\B(?=(\d{3})+$)/g, "_");
  const decimals = digits.slice(-DECIMALS).replace(/0+$/, "");
  return `${sign}${whole}${decimals === "" ? "" : `.${decimals}`}`;
}

/**
 * A fraction by 1e18, from a percentage such as `12.5%` or a decimal such as
 * `0.125`.
 *
 * @throws {AmountError} also when it is above 100 %.
 */
export function parseFraction(text: string): bigint {
  const expected = {
    what: "a fraction",
    hint: "Write a percentage like 12.5%, or a decimal like 0.125.",
  };
  const percent = /^(.*\S)\s*%$/.exec(text.trim());
  const value = scaled(percent?.[1] ?? text, expected);
  if (percent !== null && value % 100n !== 0n) {
    throw new AmountError(
      `"${text}" has more decimals than the chain keeps.`,
      "A percentage has at most 16 decimals.",
    );
  }
  const fraction = percent === null ? value : value / 100n;
  if (fraction <= ONE) return fraction;
  throw new AmountError(
    `"${text}" is more than the whole.`,
    percent === null && value <= 100n * ONE
      ? `Write ${text}% if a percentage is meant; 1 is 100 %.`
      : "The most is 100%.",
  );
}

/** A fraction by 1e18 as a percentage with all of its decimals, such as `12.5 %`. */
export function formatFraction(fraction: bigint): string {
  return `${formatTensor(fraction * 100n)} %`;
}

function scaled(
  text: string,
  { what, hint }: { readonly what: string; readonly hint: string },
): bigint {
  const parts = /^(\d+(?:_\d+)*)(?:\.(\d+))?$/.exec(text.trim());
  if (parts === null) {
    const comma = /^[\d_]+,\d+$/.test(text.trim());
    throw new AmountError(
      `"${text}" is not ${what}.`,
      comma
        ? "Decimals are written after a point: " +
          `${text.trim().replace(",", ".")}.`
        : hint,
    );
  }
  const [, whole = "", decimals = ""] = parts;
  if (decimals.length > DECIMALS) {
    throw new AmountError(
      `"${text}" has ${decimals.length} decimals; the chain keeps ${DECIMALS}.`,
      "Nothing is rounded here: leave out the last ones.",
    );
  }
  const value = BigInt(whole.replaceAll("_", "")) * ONE +
    BigInt(decimals.padEnd(DECIMALS, "0"));
  if (value <= MAX) return value;
  throw new AmountError(`"${text}" is more than the chain can hold.`, hint);
}
