import { encode, NO_SUBKEY, recordDigest, TOMBSTONE } from "../../mod.ts";
import type { HeldRecord } from "../../src/records/table.ts";
import { assert, assertEquals } from "../assert.ts";
import { KEY, otherKey, testTables } from "./tables.ts";

testTables("each subkey keeps its newest value until it expires", (make) => {
  const { clock, storage, ...at } = spread(make());
  at.put("a1", 110, "a");
  at.put("b1", 120, "b");
  assertEquals(at.put("a0", 105, "a"), "older");
  assertEquals(at.put("a2", 130, "a"), "stored");
  assertEquals(at.held(), ["a2@130", "b1@120"]);
  clock.now = 125;
  assertEquals(at.held(), ["a2@130"]);
  assertEquals(storage.records, 1);
  assertEquals(storage.find(KEY, [encode("b")]), []);
});

testTables(
  "a replayed older record that shortens a newer one is impossible here",
  (make) => {
    const { clock, put, held } = spread(make());
    put("new", 150);
    assertEquals(put("old", 110), "older");
    assertEquals(put("sub", 160, "a"), "stored");
    assertEquals(put("old", 120, "a"), "older");
    clock.now = 155;
    assertEquals(held(), ["sub@160"]);
  },
);

testTables(
  "an endless expiration that stops the expiry of others is impossible here",
  (make) => {
    const { clock, storage, put, held } = spread(make());
    put("x", 110, "a");
    for (const bad of [NaN, Infinity, -Infinity, 99]) {
      assertEquals(put("x", bad), "expired");
      assertEquals(put("x", bad, "b"), "expired");
    }
    assertEquals(held(), ["x@110"]);
    clock.now = 111;
    assertEquals(held(), []);
    assertEquals(storage.records, 0);
  },
);

testTables(
  "a plain record shows while it outlives every item of the dictionary",
  (make) => {
    const { clock, put, held } = spread(make());
    put("plain", 110);
    assertEquals(put("a", 109, "a"), "older");
    assertEquals(held(), ["plain@110"]);
    assertEquals(put("b", 111, "b"), "stored");
    assertEquals(held(), ["a@109", "b@111"]);
    assertEquals(put("plain", 111), "older");
    assertEquals(put("plain", 112), "stored");
    assertEquals(held(), ["plain@112"]);
    clock.now = 112.5;
    assertEquals(held(), []);
  },
);

testTables(
  "equal expirations are decided by the bytes, whatever comes first",
  (make) => {
    for (const order of [["x", "y"], ["y", "x"]]) {
      for (const subkey of [undefined, "a"]) {
        const { put, held } = spread(make());
        for (const value of order) put(value, 110, subkey);
        assertEquals(held(), ["y@110"]);
        assertEquals(put("y", 110, subkey), "held");
      }
    }
  },
);

testTables("a read that writes into the storage is impossible here", (make) => {
  const { storage, put, held } = spread(make());
  put("a1", 110, "a");
  for (const read of [storage.find(KEY), storage.find(KEY, [encode("a")])]) {
    Object.assign(read[0] ?? {}, { expiration: 500, value: new Uint8Array(1) });
    read.pop();
  }
  assertEquals(held(), ["a1@110"]);
});

testTables(
  "a tombstone hides the record that it follows, until both are gone",
  (make) => {
    const { clock, storage, put, held } = spread(make());
    put("a", 110, "a");
    put("b", 120, "b");
    assertEquals(put(TOMBSTONE, 110.001, "a"), "stored");
    assertEquals(put("a", 110, "a"), "older", "a late copy does not revive it");
    const found = storage.find(KEY);
    assertEquals(
      found.length,
      2,
      "readers of other replicas need the tombstone",
    );
    assertEquals(put("a2", 115, "a"), "stored", "later than the tombstone");
    assertEquals(held(), ["a2@115", "b@120"]);
    clock.now = 121;
    assertEquals(storage.records, 0);
  },
);

testTables("a deleted plain record hides no dictionary", (make) => {
  const { put, storage } = spread(make());
  put("a", 110, "a");
  put("plain", 120);
  assertEquals(put(TOMBSTONE, 121), "stored");
  assertEquals(put("b", 115, "b"), "stored");
  const subkeys = storage.find(KEY).map(({ subkey }) => subkey);
  assertEquals(subkeys, [encode("a"), encode("b"), encode(null)].toSorted());
});

testTables(
  "a record is replaced only if the one that was expected is there",
  (make) => {
    const { clock, put, held } = spread(make());
    const value = (text: string) => new TextEncoder().encode(text);
    const digest = (text: string, expiration: number) =>
      recordDigest({ value: value(text), expiration });
    const putIf = (
      text: string,
      expiration: number,
      expected: Uint8Array | null,
    ) => put(text, expiration, "a", KEY, { expected });
    assertEquals(putIf("a", 110, digest("x", 105)), "conflict");
    assertEquals(putIf("a", 110, null), "stored");
    assertEquals(putIf("b", 120, null), "conflict");
    assertEquals(putIf("b", 120, digest("a", 111)), "conflict");
    assertEquals(putIf("b", 120, digest("a", 110)), "stored");
    assertEquals(putIf("c", 115, digest("b", 120)), "older");
    assertEquals(held(), ["b@120"]);
    put(TOMBSTONE, 121, "a");
    assertEquals(putIf("c", 122, null), "stored", "deleted is absent");
    clock.now = 123;
    assertEquals(putIf("d", 130, null), "stored", "expired is absent");
  },
);

testTables("what a store would say is told without storing", (make) => {
  const { storage, put, held } = spread(make());
  put("a", 110);
  const preview = (text: string, expiration: number, expected?: null) =>
    storage.preview(
      {
        key: KEY,
        subkey: NO_SUBKEY,
        value: new TextEncoder().encode(text),
        expiration,
      },
      expected,
    );
  assertEquals(preview("b", 120), undefined);
  assertEquals(preview("b", 120, null), "conflict");
  assertEquals(preview("a", 110), "held");
  assertEquals(preview("b", 105), "older");
  assertEquals(preview("b", 99), "expired");
  assertEquals(held(), ["a@110"]);
});

testTables("a record gives way to what it took the place of", (make) => {
  const { clock, storage, put, held } = spread(make());
  const record = (text: string, expiration: number) => ({
    key: KEY,
    subkey: NO_SUBKEY,
    value: new TextEncoder().encode(text),
    expiration,
  });
  const replaced: (HeldRecord | undefined)[] = [];
  const onReplaced = (each: HeldRecord | undefined) => replaced.push(each);
  const store = (text: string, expiration: number) =>
    put(text, expiration, undefined, KEY, { owner: "o", onReplaced });
  store("a", 110);
  store("b", 120);
  assertEquals(store("b", 119), "older");
  assertEquals(replaced.map((each) => each?.expiration), [undefined, 110]);
  const { bytes } = storage;
  const [, before] = replaced;
  assert(!storage.restore(record("a", 110), before), "it is not held");
  assertEquals(storage.has(record("b", 120)), true);
  assert(storage.restore(record("b", 120), before));
  assertEquals(storage.has(record("b", 120)), false);
  assertEquals([held(), storage.bytes], [["a@110"], bytes]);
  assert(storage.restore(record("a", 110), undefined));
  assertEquals([held(), storage.bytes, storage.records], [[], 0, 0]);
  store("c", 130);
  clock.now = 111;
  assert(storage.restore(record("c", 130), before));
  assertEquals([held(), storage.bytes], [[], 0], "what expired stays away");
});

testTables("a large dictionary is read in pages, each subkey once", (make) => {
  const { storage, put } = spread(make());
  const names = Array.from({ length: 300 }, (_, i) => `name-${i}`);
  names.forEach((name, i) => put("x".repeat(i), 110, name));
  const all = storage.find(KEY);
  assertEquals(all.length, 300);
  for (
    const bounds of [{ bytes: 2_000, records: 1e9 }, { bytes: 1e9, records: 7 }]
  ) {
    const seen = [];
    let pages = 1;
    let page = storage.page(KEY, bounds);
    for (; page.more; pages++) {
      assert(page.records.length > 0);
      seen.push(...page.records);
      page = storage.page(KEY, bounds, page.records.at(-1)?.subkey);
    }
    seen.push(...page.records);
    assert(pages > 10);
    assertEquals(seen, all);
  }
});
testTables(
  "everything that is held can be walked through, from any place",
  (make) => {
    const { clock, storage, put } = spread(make());
    for (let key = 1; key <= 5; key++) {
      put("plain", 150, undefined, otherKey(key));
      for (const name of ["a", "b"]) put(name, 100 + key, name, otherKey(key));
    }
    clock.now = 103;
    const all = [...storage.scan()];
    assertEquals(all.length, 5 + 2 * 3, "hidden records too, expired ones not");
    for (const [n, place] of all.entries()) {
      assertEquals([...storage.scan(place)], all.slice(n + 1));
    }
  },
);

/** Methods that can be taken apart. */
function spread(
  at: ReturnType<Parameters<Parameters<typeof testTables>[1]>[0]>,
) {
  return {
    clock: at.clock,
    storage: at.storage,
    put: at.put.bind(at),
    held: at.held.bind(at),
  };
}
