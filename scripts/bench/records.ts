// deno-lint-ignore-file no-console
// Records in a file: how fast they are taken, and how soon a node that was
// killed serves them again. In a temporary folder; add a count of records.
import { LocalStorage, NO_SUBKEY, SqliteTable } from "../../mod.ts";
import { argumentsOf, numberOf, told } from "./usage.ts";

const HELP = `deno task bench:records [COUNT]

  COUNT   records; 100000`;
const COUNT = told(HELP, (args) => {
  const [count = "100000"] = argumentsOf(args, 1);
  return numberOf("COUNT", count, { isWhole: true, least: 1 });
});
/** Owners; the peers of a full subnet. */
const OWNERS = 256;
/** Records under way at once, each waited for. */
const WRITERS = 16;
const VALUE = crypto.getRandomValues(new Uint8Array(256));

const folder = await Deno.makeTempDir();
const path = `${folder}/records.db`;
const copy = `${folder}/copy.db`;
const now = () => Date.now() / 1_000;
const open = (file: string) =>
  new LocalStorage(now, {
    table: SqliteTable.open(file),
    limits: {
      records: 2 * COUNT,
      ownerRecords: COUNT,
      bytes: 1e10,
      ownerBytes: 1e10,
    },
  });
const keyOf = (i: number) => {
  const key = new Uint8Array(20);
  // Spread as hashes are.
  new DataView(key.buffer).setUint32(0, Math.imul(i + 1, 2_654_435_761) >>> 0);
  new DataView(key.buffer).setUint32(16, i);
  return key;
};
const since = (start: number) => performance.now() - start;
const line = (what: string, value: string) =>
  console.log(`${what.padEnd(44)} ${value.padStart(12)}`);

try {
  const first = open(path);
  const expiration = now() + 3_600;
  const times: number[] = [];
  let next = 0;
  const begin = performance.now();
  const write = async () => {
    while (next < COUNT) {
      const i = next++;
      const start = performance.now();
      const outcome = first.store(
        { key: keyOf(i), subkey: NO_SUBKEY, value: VALUE, expiration },
        { owner: `owner-${i % OWNERS}` },
      );
      await first.committed();
      if (outcome !== "stored") throw new Error(outcome);
      times.push(since(start));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const took = since(begin);
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(part * COUNT)] as number;
  line("records", String(COUNT));
  line(
    `acknowledged per second, ${WRITERS} at once`,
    (1_000 * COUNT / took).toFixed(0),
  );
  line("acknowledged, p50", `${at(0.5).toFixed(3)} ms`);
  line("acknowledged, p99", `${at(0.99).toFixed(3)} ms`);
  // The files as a killed process leaves them.
  for (const suffix of ["", "-wal"]) {
    await Deno.copyFile(path + suffix, copy + suffix).catch(() => {});
  }
  await first.close();
  line("file", `${((await Deno.stat(path)).size / 2 ** 20).toFixed(1)} MiB`);

  const start = performance.now();
  const second = open(copy);
  line("started again after a kill", `${since(start).toFixed(1)} ms`);
  if (second.find(keyOf(COUNT - 1)).length !== 1) throw new Error("lost");
  line("first record served after", `${since(start).toFixed(1)} ms`);
  const reading = performance.now();
  let found = 0;
  for (let i = 0; i < COUNT; i++) found += second.find(keyOf(i)).length;
  line("found of them", String(found));
  line("cold read", `${(1_000 * since(reading) / COUNT).toFixed(1)} µs`);
  const warm = performance.now();
  for (let i = 0; i < 10_000; i++) second.find(keyOf(i % 1_000));
  line("warm read", `${(since(warm) / 10).toFixed(1)} µs`);
  await second.close();
} finally {
  await Deno.remove(folder, { recursive: true });
}
