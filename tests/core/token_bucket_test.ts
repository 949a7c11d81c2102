import { TokenBucket } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("a bucket lets a burst through, then its rate", () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0);
  const taken = (now: number) => bucket.take(1, now);
  assertEquals([taken(0), taken(0), taken(0), taken(0)], [
    true,
    true,
    true,
    false,
  ]);
  assertEquals(bucket.wait(1, 0), 100);
  assertEquals(taken(99), false);
  assertEquals(taken(100), true);
  assertEquals(taken(100), false);
});

Deno.test("what is too much takes nothing, and what can never be says so", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, 0);
  assertEquals(bucket.take(6, 0), false);
  assertEquals(bucket.take(5, 0), true);
  assertEquals(bucket.wait(5, 0), 5_000);
  assertEquals(bucket.wait(6, 0), Infinity);
});

Deno.test("a bucket never holds more than its burst", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 0);
  assert(bucket.isFull(0));
  bucket.give(5);
  assertEquals(bucket.take(2, 1_000_000), true);
  assertEquals(bucket.take(1, 1_000_000), false);
  assert(!bucket.isFull(1_001_000));
  bucket.give(1);
  assert(bucket.isFull(1_001_000));
});

Deno.test("a clock that is set back neither fills nor empties a bucket", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 100_000);
  bucket.take(2, 100_000);
  assertEquals(bucket.take(1, 0), false);
  assertEquals(bucket.wait(1, 0), 1_000);
  assertEquals(bucket.take(1, 1_000), true);
});
