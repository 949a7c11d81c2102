import { concat, toHex } from "../../mod.ts";
import { MemoryTable } from "../../src/records/memory_table.ts";
import { assertEquals } from "../assert.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";

const row = (key: number, subkey: number) => ({
  key: Uint8Array.of(key),
  subkey: Uint8Array.of(subkey),
  value: new Uint8Array(),
  expiration: 1,
  owner: "owner",
});

Deno.test("scans are ascending and whole, whatever came and went between them", () => {
  const random = new SeededRandom(5);
  const table = new MemoryTable();
  const model = new Set<string>();
  const names = () =>
    [...table.scan()].map(({ key, subkey }) => toHex(concat(key, subkey)));
  for (let i = 0; i < 20_000; i++) {
    const each = row(random.below(200), random.below(3));
    const name = toHex(concat(each.key, each.subkey));
    if (random.below(2) === 0) {
      table.put(each as Parameters<MemoryTable["put"]>[0]);
      model.add(name);
    } else {
      table.remove(each);
      model.delete(name);
    }
    if (random.below(50) === 0) assertEquals(names(), [...model].sort());
  }
});

Deno.test("who scans sees the keys of its beginning", () => {
  const table = new MemoryTable();
  const put = (key: number) =>
    table.put(row(key, 0) as Parameters<MemoryTable["put"]>[0]);
  for (const key of [1, 3, 5]) put(key);
  const seen: number[] = [];
  for (const { key: [key = 0] } of table.scan()) {
    seen.push(key);
    if (key === 1) {
      put(2);
      table.remove(row(5, 0));
    }
  }
  assertEquals(seen, [1, 3]);
  assertEquals([...table.scan()].map(({ key }) => key[0]), [1, 2, 3]);
});
