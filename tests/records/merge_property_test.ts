import fc from "fast-check";
import {
  type DhtRecord,
  encode,
  LocalStorage,
  MemoryTable,
  NO_SUBKEY,
  type RecordTable,
  SqliteTable,
  TOMBSTONE,
} from "../../mod.ts";
import { assertEquals } from "../assert.ts";
import { withFolder } from "../system/program.ts";
import { otherKey } from "./tables.ts";

const record = fc.record({
  key: fc.integer({ min: 1, max: 2 }).map(otherKey),
  subkey: fc.constantFrom(NO_SUBKEY, ...["a", "b", "c"].map(encode)),
  value: fc.oneof(
    fc.uint8Array({ maxLength: 2 }),
    fc.constant(TOMBSTONE as Uint8Array),
  ),
  // Few times, so that many are equal, and some past.
  expiration: fc.integer({ min: 98, max: 104 }),
});

/** The same records in two orders, the second with repetitions. */
const twoOrders = fc.array(record, { maxLength: 20 }).chain((records) =>
  fc.tuple(
    fc.constant(records),
    fc.shuffledSubarray([...records, ...records], {
      minLength: records.length * 2,
    }),
  )
);

function content(table: RecordTable, records: readonly DhtRecord[]) {
  const clock = { now: 100 };
  const storage = new LocalStorage(() => clock.now, { table });
  for (const each of records) storage.store(each);
  const visible = () =>
    [1, 2].map((n) =>
      storage.find(otherKey(n)).toSorted((a, b) =>
        a.subkey.toHex() < b.subkey.toHex() ? -1 : 1
      )
    );
  const found = { held: [...storage.scan()], visible: visible() };
  clock.now = 102;
  return { ...found, later: visible(), left: storage.records };
}

Deno.test("the same stores give the same content in every order, however often, in memory and in a file", () =>
  withFolder(async (folder) => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(twoOrders, async ([records, others]) => {
        const expected = content(new MemoryTable(), records);
        assertEquals(content(new MemoryTable(), others), expected);
        const table = SqliteTable.open(`${folder}/${files++}.db`);
        try {
          assertEquals(content(table, others), expected);
        } finally {
          await table.close();
        }
      }),
      { numRuns: 150 },
    );
  }));
