import { count, duration, epochWords } from "../../../src/cli/chain/words.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("times are told by their two largest units", () => {
  for (
    const [milliseconds, words] of [
      [0, "0 s"],
      [400, "0 s"],
      [45_000, "45 s"],
      [66_000, "1 min 6 s"],
      [60_000, "1 min"],
      [3_600_000, "1 h"],
      [3_660_000, "1 h 1 min"],
      [90_061_000, "1 d 1 h"],
    ] as const
  ) assertEquals(duration(milliseconds), words);
});

Deno.test("the place in an epoch is told in words", () => {
  const constants = {
    epochLength: 20,
    blockMilliseconds: 6_000,
    genesis: "0x",
  };
  assertEquals(
    epochWords(225, 3, constants),
    "epoch 11: block 3 of 20 (10 % done), 18 blocks (about 1 min 48 s) to go",
  );
  assertEquals(
    epochWords(242, 3, constants),
    "epoch 11: block 20 of 20 (95 % done), 1 block (about 6 s) to go",
  );
  assertEquals(
    epochWords(1, 3, constants),
    "before the first epoch, which begins in 2 blocks (about 12 s)",
  );
  assertEquals(count(1, "node"), "1 node");
  assertEquals(count(0, "node"), "0 nodes");
});
