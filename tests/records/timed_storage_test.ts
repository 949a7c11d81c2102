import { TimedStorage } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

function setUp(maxSize?: number) {
  const clock = { now: 100 };
  const storage = new TimedStorage<string, string>(() => clock.now, maxSize);
  return { clock, storage };
}

Deno.test("an entry is served until it expires, and then is gone", () => {
  const { clock, storage } = setUp();
  assert(storage.store("a", "x", 110));
  clock.now = 110;
  assertEquals(storage.get("a")?.value, "x");
  clock.now = 110.5;
  assertEquals(storage.get("a"), undefined);
  assertEquals(storage.size, 0);
});

Deno.test("a refused older store does not shorten the newer entry's life", () => {
  const { clock, storage } = setUp();
  storage.store("a", "new", 150);
  assert(!storage.store("a", "old", 110));
  assert(!storage.store("a", "equal", 150));
  clock.now = 140;
  assertEquals(storage.get("a"), { value: "new", expiration: 150 });
});

Deno.test("a later expiration replaces and outlives", () => {
  const { clock, storage } = setUp();
  storage.store("a", "x", 110);
  assert(storage.store("a", "y", 150));
  clock.now = 120;
  assertEquals(storage.get("a")?.value, "y");
});

Deno.test("expirations that are past or not finite are refused and stop nothing", () => {
  const { clock, storage } = setUp();
  for (const bad of [NaN, Infinity, -Infinity, -1, 99.9]) {
    assert(!storage.store("bad", "x", bad));
  }
  storage.store("a", "x", 110);
  clock.now = 111;
  assertEquals([...storage.entries()], []);
});

Deno.test("over its size the storage drops what expires soonest", () => {
  const { storage } = setUp(2);
  storage.store("b", "x", 120);
  storage.store("a", "x", 110);
  assert(storage.store("c", "x", 130));
  assertEquals([...storage.entries()].map(([key]) => key), ["b", "c"]);
  assert(!storage.store("d", "x", 115), "the new entry itself goes first");
  assertEquals(storage.top()?.[0], "b");
  storage.delete("b");
  storage.delete("b");
  assertEquals(storage.top()?.[0], "c");
});
