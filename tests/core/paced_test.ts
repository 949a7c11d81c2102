import { type Clock, ManualClock } from "../../src/core/mod.ts";
import { paced } from "../../src/core/paced.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** Keeps the process for itself. */
function toil(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

function counting(): Clock & { passes: number } {
  const { now, sleep } = new ManualClock();
  return {
    now,
    sleep,
    passes: 0,
    pass() {
      this.passes++;
      return Promise.resolve();
    },
  };
}

Deno.test("work that takes long lets everything else happen in between, in its order", async () => {
  const clock = counting();
  const done: number[] = [];
  const results = await paced([1, 2, 3, 4], (n) => {
    done.push(n);
    toil(5);
    return Promise.resolve(2 * n);
  }, clock);
  assertEquals(results, [2, 4, 6, 8]);
  assertEquals(done, [1, 2, 3, 4]);
  assertEquals(clock.passes, 3);
});

Deno.test("one that fails is heard once all were begun", async () => {
  const begun: number[] = [];
  const work = paced([1, 2, 3], (n) => {
    begun.push(n);
    toil(5);
    return n === 1 ? Promise.reject(new Error("no")) : Promise.resolve();
  }, counting());
  await assertRejects(work, { message: "no" });
  assertEquals(begun, [1, 2, 3]);
});

Deno.test("where work takes no time nothing is put off", async () => {
  let begun = 0;
  const work = paced([1, 2, 3], () => {
    begun++;
    toil(5);
    return Promise.resolve();
  }, new ManualClock());
  assert(begun === 3);
  await work;
});
