import { agrees, EXACT, ONE, parseAttestPolicy } from "../../mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const list = (...scores: bigint[]) =>
  scores.map((score, i) => ({ nodeId: i + 1, score }));

Deno.test("exactly equal scores agree, in any order, and empty ones too", () => {
  const scores = list(ONE, 5n);
  assertEquals(agrees(scores, scores.toReversed(), EXACT), true);
  assertEquals(agrees([], [], EXACT), true);
  assertEquals(agrees(scores, list(ONE, 6n), EXACT), false);
  assertEquals(agrees(scores, list(ONE), EXACT), false);
  assertEquals(agrees([], list(0n), EXACT), false);
});

Deno.test("with a tolerance, the part that is not shared decides", () => {
  const tolerant = parseAttestPolicy("tolerance:0.1");
  const ten = list(...Array(10).fill(ONE));
  assertEquals(agrees(ten, ten.slice(1), tolerant), true, "9 of 10");
  assertEquals(agrees(ten.slice(1), ten, tolerant), true, "the other way");
  assertEquals(agrees(ten, ten.slice(2), tolerant), false, "8 of 10");
  assertEquals(agrees(list(ONE), list(ONE * 9n / 10n), tolerant), true);
  assertEquals(
    agrees(list(ONE), list(ONE * 9n / 10n - ONE / 1_000n), tolerant),
    false,
  );
  const huge = 2n ** 128n - 1n;
  assertEquals(agrees(list(huge), list(huge - 1n), tolerant), true);
  assertEquals(agrees([], ten, tolerant), false);
});

Deno.test("policies have texts, and others are refused", () => {
  assertEquals(parseAttestPolicy("exact"), EXACT);
  assertEquals(parseAttestPolicy("tolerance:.25"), {
    kind: "tolerance",
    most: 0.25,
  });
  for (
    const text of [
      "",
      "Exact",
      "tolerance",
      "tolerance:",
      "tolerance:1",
      "tolerance:-0.1",
      "tolerance:x",
    ]
  ) {
    assertThrows(() => parseAttestPolicy(text), {
      code: "ATTEST_POLICY_INVALID",
    });
  }
});
