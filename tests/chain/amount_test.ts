import fc from "fast-check";
import {
  formatFraction,
  formatTensor,
  parseFraction,
  parseTensor,
} from "../../src/chain/amount.ts";
import { ONE } from "../../src/chain/types.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const INVALID = { code: "AMOUNT_INVALID" };

Deno.test("amounts are read exactly, to the last base unit", () => {
  for (
    const [text, units] of [
      ["0", 0n],
      ["1", ONE],
      ["100", 100n * ONE],
      ["0.5", ONE / 2n],
      ["1_000.25", 1_000n * ONE + ONE / 4n],
      [" 7 ", 7n * ONE],
      ["0.000000000000000001", 1n],
      ["9007199254740993.1", 9_007_199_254_740_993n * ONE + ONE / 10n],
    ] as const
  ) assertEquals(parseTensor(text), units, text);
});

Deno.test("what is no exact amount is refused with what to do", () => {
  for (
    const bad of [
      "",
      ".",
      ".5",
      "5.",
      "-1",
      "+1",
      "1e3",
      "0x10",
      "1,5",
      "1.5.5",
      "1 000",
      "_1",
      "1_",
      "NaN",
      "Infinity",
      "ten",
      "١",
      "0.0000000000000000001",
      "340282366920938463464",
    ]
  ) assertThrows(() => parseTensor(bad), INVALID, bad);
  assertThrows(
    () => parseTensor("1,5"),
    (error: { hint?: string }) => !!error.hint?.includes("1.5"),
  );
});

Deno.test("amounts are shown with thousands apart and no needless zeros", () => {
  for (
    const [units, text] of [
      [0n, "0"],
      [1n, "0.000000000000000001"],
      [ONE, "1"],
      [1_000n * ONE, "1_000"],
      [1_234_567n * ONE + ONE / 4n, "1_234_567.25"],
      [108_157_099n, "0.000000000108157099"],
      [-ONE / 2n, "-0.5"],
    ] as const
  ) assertEquals(formatTensor(units), text);
});

Deno.test("every amount is shown so that it is read as the same", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (units) => {
      assertEquals(parseTensor(formatTensor(units)), units);
    }),
  );
});

Deno.test("fractions are percentages or decimals, and at most the whole", () => {
  for (
    const [text, fraction] of [
      ["0", 0n],
      ["0%", 0n],
      ["12.5%", ONE / 8n],
      ["12.5 %", ONE / 8n],
      ["0.125", ONE / 8n],
      ["100%", ONE],
      ["1", ONE],
      ["0.0000000000000001%", 1n],
    ] as const
  ) assertEquals(parseFraction(text), fraction, text);
  for (
    const bad of [
      "",
      "%",
      "101%",
      "1.1",
      "5",
      "-1%",
      "1%%",
      "%1",
      "0.00000000000000001%",
    ]
  ) assertThrows(() => parseFraction(bad), INVALID, bad);
  assertThrows(
    () => parseFraction("5"),
    (error: { hint?: string }) => {
      assert(error.hint?.includes("5%"));
      return true;
    },
  );
  assertEquals(formatFraction(ONE / 8n), "12.5 %");
  assertEquals(formatFraction(ONE), "100 %");
  fc.assert(
    fc.property(fc.bigInt(0n, ONE), (fraction) => {
      assertEquals(parseFraction(formatFraction(fraction)), fraction);
    }),
  );
});
