import { systemClock } from "../../src/core/clock.ts";
import { deadline, raceSignal } from "../../src/core/deadline.ts";
import { ManualClock } from "../../src/core/manual_clock.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

Deno.test("a sleep ends at once when its signal is aborted", async () => {
  for (const clock of [systemClock, new ManualClock()]) {
    const controller = new AbortController();
    const sleep = clock.sleep(1e12, controller.signal);
    controller.abort(new Error("enough"));
    await assertRejects(sleep, /enough/);
    await assertRejects(clock.sleep(1, controller.signal), /enough/);
  }
});

Deno.test("a moved clock wakes sleepers in order, and those that sleep anew", async () => {
  const clock = new ManualClock(1000);
  const woken: number[] = [];
  const task = (async () => {
    await clock.sleep(10);
    woken.push(clock.now());
    await clock.sleep(10);
    woken.push(clock.now());
  })();
  const other = clock.sleep(15).then(() => woken.push(clock.now()));
  await clock.advance(30);
  await Promise.all([task, other]);
  assertEquals(woken, [1010, 1015, 1020]);
  assertEquals(clock.now(), 1030);
});

Deno.test("a deadline is aborted by time or by its parent, and leaves no timer", async () => {
  using short = deadline(1);
  await assertRejects(systemClock.sleep(10_000, short.signal), {
    name: "TimeoutError",
  });
  const parent = new AbortController();
  using long = deadline(Infinity, parent.signal);
  parent.abort(new Error("stop"));
  assert(long.signal.aborted);
  await assertRejects(raceSignal(new Promise(() => {}), long.signal), /stop/);
  using _ = deadline(1e9);
});
