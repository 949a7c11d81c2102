import fc from "fast-check";
import {
  epochPosition,
  type EpochTime,
  firstBlockOf,
  networkEpoch,
  windowState,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

const chains = fc.integer({ min: 4, max: 1_000 }).chain((length) =>
  fc.record({
    length: fc.constant(length),
    slot: fc.integer({ min: 3, max: length - 1 }),
    block: fc.nat(2 ** 32 - 1),
  })
);

Deno.test("a block lies in its epoch where the arithmetic of the chain says", () => {
  fc.assert(fc.property(chains, ({ length, slot, block }) => {
    const at = epochPosition(block, slot, length);
    if (block < slot) {
      assertEquals([at.epoch, at.remaining], [0, slot - block]);
      return assert(at.beforeSlot);
    }
    assertEquals(firstBlockOf(at.epoch, slot, length) + at.elapsed, block);
    assertEquals(at.elapsed + at.remaining, length);
    assert(at.elapsed >= 0 && at.elapsed < length);
    assertEquals(at.progress, at.elapsed / length);
    // A subnet epoch begins within the network epoch of its number.
    const first = firstBlockOf(at.epoch, slot, length);
    assertEquals(networkEpoch(first, length), at.epoch);
  }));
});

Deno.test("the next block is one further, or the first of the next epoch", () => {
  fc.assert(fc.property(chains, ({ length, slot, block }) => {
    const [now, next] = [block, block + 1].map((each) =>
      epochPosition(each, slot, length)
    ) as [ReturnType<typeof epochPosition>, ReturnType<typeof epochPosition>];
    if (now.beforeSlot) return;
    if (now.remaining === 1) {
      assertEquals([next.epoch, next.elapsed], [now.epoch + 1, 0]);
    } else {
      assertEquals([next.epoch, next.elapsed], [now.epoch, now.elapsed + 1]);
    }
  }));
});

Deno.test("a window is early, then open, then over, and wider by its tolerance alone", () => {
  const windows = fc.record({
    length: fc.integer({ min: 10, max: 300 }),
    from: fc.double({ min: 0, max: 0.5, noNaN: true }),
    width: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    early: fc.integer({ min: 0, max: 2 }),
    late: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(fc.property(windows, ({ length, from, width, early, late }) => {
    const window = { from, to: from + width };
    const rule = { window, tolerance: { early, late } };
    const order = ["early", "open", "over"];
    let last = 0;
    for (let block = -3; block < length + 4; block++) {
      const now: EpochTime = {
        epoch: block < 0 ? 6 : block < length ? 7 : 8,
        elapsed: (block + length) % length,
        length,
        blockSeconds: 6,
      };
      const state = windowState(rule, 7, now);
      assert(order.indexOf(state) >= last, "it never goes back");
      last = order.indexOf(state);
      const open = block >= from * length - early &&
        block <= window.to * length + late;
      assertEquals(state === "open", open);
    }
  }));
});
