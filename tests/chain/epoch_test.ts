import { epochPosition, firstBlockOf, networkEpoch } from "../../mod.ts";
import { assertEquals } from "../assert.ts";

Deno.test("subnet epochs begin at the slot", () => {
  const at = (block: number) => {
    const { epoch, elapsed, remaining, progress, beforeSlot } = epochPosition(
      block,
      3,
      20,
    );
    return [epoch, elapsed, remaining, progress, beforeSlot];
  };
  assertEquals(at(0), [0, 0, 3, 0, true]);
  assertEquals(at(2), [0, 0, 1, 0, true]);
  assertEquals(at(3), [0, 0, 20, 0, false]);
  assertEquals(at(6), [0, 3, 17, 0.15, false]);
  assertEquals(at(22), [0, 19, 1, 0.95, false]);
  assertEquals(at(23), [1, 0, 20, 0, false]);
  assertEquals([19, 20, 23].map((block) => networkEpoch(block, 20)), [0, 1, 1]);
  assertEquals(epochPosition(firstBlockOf(7, 3, 20), 3, 20).epoch, 7);
  assertEquals(epochPosition(firstBlockOf(7, 3, 20) - 1, 3, 20).epoch, 6);
});
