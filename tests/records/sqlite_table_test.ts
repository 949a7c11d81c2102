import { DatabaseSync } from "node:sqlite";
import {
  LocalStorage,
  MetricsRegistry,
  NO_SUBKEY,
  SqliteTable,
  type SqliteTableOptions,
} from "../../mod.ts";
import { RowCache } from "../../src/records/row_cache.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { withFolder } from "../system/program.ts";
import { Held, KEY, otherKey } from "./tables.ts";

function open(path: string, options: SqliteTableOptions = {}) {
  const metrics = new MetricsRegistry();
  return new Held(SqliteTable.open(path, { metrics, ...options }), {}, metrics);
}

/** Files of the folder that begin with the name of the records. */
const names = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith("records.db")).toSorted();

Deno.test("a file is taken up where it was left", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    const first = open(path);
    first.put("plain", 110, undefined, otherKey(2), { owner: "A" });
    first.put("a", 110, "a");
    first.put("b", 120, "b");
    first.put("a2", 130, "a");
    await first.storage.committed();
    await first.storage.close();
    assertEquals(names(folder), ["records.db"], "nothing lies about");
    const second = open(path);
    assertEquals(second.held(), ["a2@130", "b@120"]);
    assertEquals(second.held(otherKey(2)), ["plain@110"]);
    assertEquals(second.storage.records, 3);
    assertEquals(second.put("a1", 125, "a"), "older");
    second.clock.now = 125;
    assertEquals(second.held(), ["a2@130"]);
    assertEquals(second.storage.records, 1);
    await second.storage.close();
  }));

Deno.test("what is acknowledged can be read by who opens the file after a crash", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    const held = open(path);
    held.put("a", 110, "a");
    await held.storage.committed();
    held.put("b", 110, "b");
    // The files as a killed process leaves them: "b" was not committed.
    for (const name of names(folder)) {
      Deno.copyFileSync(`${folder}/${name}`, `${folder}/copy-${name}`);
    }
    await held.storage.close();
    const after = open(`${folder}/copy-records.db`);
    assertEquals(after.held(), ["a@110"]);
    await after.storage.close();
  }));

const MAKERS: Record<string, (path: string) => void> = {
  damaged: (path) => Deno.writeFileSync(path, new Uint8Array(9_000).fill(7)),
  foreign: (path) => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE theirs (x)");
    db.close();
  },
  "other-version": (path) => {
    SqliteTable.open(path).close();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 99");
    db.close();
  },
};

for (const [reason, make] of Object.entries(MAKERS)) {
  Deno.test(`a file that is ${reason} is set aside as it is, and a new one begun`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/records.db`;
      make(path);
      const before = await Deno.readFile(path);
      const { storage, metrics, put, held } = bound(
        open(path, { now: () => 1_700_000_000 }),
      );
      assertEquals(put("a", 110), "stored");
      assertEquals(held(), ["a@110"]);
      await storage.close();
      const aside = `records.db.${reason}-20231114T221320.000Z`;
      assertEquals(names(folder), ["records.db", aside]);
      assertEquals(await Deno.readFile(`${folder}/${aside}`), before);
      assertEquals(
        metrics.get("meshnode_records_set_aside_total", { reason }),
        1,
      );
    }));
}

Deno.test("a file with a damaged page anywhere is set aside, and never stops the start", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    const { storage, put } = bound(open(path));
    for (let i = 0; i < 300; i++) put("x".repeat(200), 110, `name-${i}`);
    await storage.close();
    const good = await Deno.readFile(path);
    let aside = 0;
    for (let page = 0; page * 4_096 < good.length; page += 3) {
      const bad = good.slice();
      bad.fill(0x5a, page * 4_096, page * 4_096 + 4_096);
      await Deno.writeFile(path, bad);
      const { storage, metrics, put } = bound(open(path));
      aside += metrics.sum("meshnode_records_set_aside_total");
      assertEquals(put("a", 140, "a"), "stored");
      await storage.close();
      await Deno.remove(path);
    }
    assert(aside > 5, `${aside} damages were noticed`);
  }));

Deno.test("a file with a damaged byte anywhere is set aside or of use, and never stops the start", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    const { storage, put } = bound(open(path));
    for (let i = 0; i < 30; i++) put("x".repeat(300), 110, `name-${i}`);
    await storage.close();
    const good = await Deno.readFile(path);
    const header = Array.from({ length: 100 }, (_, at) => at);
    const content = Array.from(
      { length: 40 },
      (_, i) => 100 + Math.floor(i * (good.length - 100) / 40),
    );
    // A value that means something else there, and one that means nothing.
    const cases = [
      ...header.flatMap((at) => [[at, 0], [at, 255]] as const),
      ...content.map((at) => [at, (good[at] as number) ^ 0x55] as const),
    ];
    for (const [at, value] of cases) {
      const bad = good.slice();
      bad[at] = value;
      await Deno.writeFile(path, bad);
      const { storage, put } = bound(open(path));
      const what = `byte ${at} is ${value}`;
      assertEquals([what, put("a", 140, "a")], [what, "stored"]);
      await storage.close();
      for (const name of names(folder)) await Deno.remove(`${folder}/${name}`);
    }
  }));

Deno.test("an empty file is a new one", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    await Deno.writeFile(path, new Uint8Array());
    const { storage, put } = bound(open(path));
    assertEquals(put("a", 110), "stored");
    await storage.close();
    assertEquals(names(folder), ["records.db"]);
  }));

Deno.test("a file that another one uses is refused and left alone", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    const { storage, put, held } = bound(open(path));
    put("a", 110);
    assertThrows(() => SqliteTable.open(path), { code: "RECORDS_IN_USE" });
    assertThrows(() => SqliteTable.open(`${folder}/none/records.db`), {
      code: "RECORDS_UNUSABLE",
    });
    assertEquals(held(), ["a@110"]);
    await storage.close();
    assertEquals(names(folder), ["records.db"]);
  }));

Deno.test("when the disk is full nothing is acknowledged, and what was is kept", () =>
  withFolder(async (folder) => {
    const path = `${folder}/records.db`;
    const { storage, metrics, put, held } = bound(
      open(path, { fileBytes: 200_000, cacheBytes: 10_000 }),
    );
    const acknowledged: string[] = [];
    let failed = 0;
    for (let i = 0; i < 100; i++) {
      const value = `${i}-${"x".repeat(5_000)}`;
      const outcome = put(value, 110, `name-${i}`);
      const safe = await storage.committed().then(() => true, () => false);
      if (outcome === "stored" && safe) acknowledged.push(`${value}@110`);
      else failed++;
    }
    assert(failed > 0 && acknowledged.length > 5);
    assert(metrics.get("meshnode_records_storage_failures_total") > 0);
    assertEquals(held().toSorted(), acknowledged.toSorted());
    assertEquals(storage.records, acknowledged.length);
    await storage.close();
    const after = open(path);
    assertEquals(after.held().toSorted(), acknowledged.toSorted());
    assertEquals(after.put("more", 120), "stored", "with more room it goes on");
    await after.storage.close();
  }));

Deno.test("a file that went away hides what it held, and throws at nobody", () =>
  withFolder(async (folder) => {
    const table = SqliteTable.open(`${folder}/records.db`);
    const { storage, put, held } = bound(new Held(table));
    put("a", 110);
    await table.close();
    assertEquals(put("b", 120), "storage-failed");
    assertEquals(held(), []);
    assertEquals([...storage.find(KEY, [NO_SUBKEY])], []);
    assert(storage instanceof LocalStorage);
  }));

Deno.test("what is remembered of the file is bounded, and the same as the file", () => {
  const cache = new RowCache(8_000);
  const row = (key: number, subkey: number, size: number) => ({
    key: otherKey(key),
    subkey: Uint8Array.of(subkey),
    value: new Uint8Array(),
    expiration: 1,
    owner: "",
    deleted: false,
    size,
  });
  for (let key = 0; key < 100; key++) {
    cache.keep(otherKey(key), [row(key, 1, 300), row(key, 2, 300)]);
    assert(cache.bytes <= 8_000);
  }
  assertEquals(cache.get(otherKey(0)), undefined);
  cache.put(row(99, 0, 100));
  cache.remove(otherKey(99), Uint8Array.of(1));
  assertEquals(
    cache.get(otherKey(99))?.after().map(({ subkey }) => subkey[0]),
    [0, 2],
  );
  cache.put(row(99, 3, 5_000));
  assertEquals(cache.get(otherKey(99)), undefined, "too large to be kept");
  cache.clear();
  assertEquals(cache.bytes, 0);
});

function bound(at: Held) {
  return {
    storage: at.storage,
    metrics: at.metrics,
    put: at.put.bind(at),
    held: at.held.bind(at),
  };
}
