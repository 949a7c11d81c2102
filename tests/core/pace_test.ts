import { type Clock, ManualClock } from "../../src/core/mod.ts";
import { Pace } from "../../src/core/pace.ts";
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
  const results = await new Pace(clock).each([1, 2, 3, 4], (n) => {
    done.push(n);
    toil(5);
    return Promise.resolve(2 * n);
  });
  assertEquals(results, [2, 4, 6, 8]);
  assertEquals(done, [1, 2, 3, 4]);
  assertEquals(clock.passes, 3);
});

Deno.test("one that fails is heard once all were begun", async () => {
  const begun: number[] = [];
  const work = new Pace(counting()).each([1, 2, 3], (n) => {
    begun.push(n);
    toil(5);
    return n === 1 ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  await assertRejects(work, { message: "no" });
  assertEquals(begun, [1, 2, 3]);
});

Deno.test("where work takes no time nothing is put off", async () => {
  let begun = 0;
  const work = new Pace(new ManualClock()).each([1, 2, 3], () => {
    begun++;
    toil(5);
    return Promise.resolve();
  });
  assert(begun === 3);
  await work;
});

Deno.test("many that have work share the milliseconds of one", async () => {
  const clock = counting();
  const pace = new Pace(clock);
  const passes: number[] = [];
  const work = () =>
    pace.each([1, 2, 3], () => {
      passes.push(clock.passes);
      toil(3);
      return Promise.resolve();
    });
  await Promise.all([work(), work(), work()]);
  // What is asked for alone begins at once; of the rest one goes on after each pause.
  assertEquals(new Set(passes.slice(3)).size, 6);
});
