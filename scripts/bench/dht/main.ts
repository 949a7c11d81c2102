// deno-lint-ignore-file no-console
// Measures the DHT: see flags.ts for what it can be told.
import { measureBatches, measureOwners } from "./batches.ts";
import { contestTable, measureContestants } from "./contestants.ts";
import { measureCurve } from "./cost_curve.ts";
import { facts, warnIfLoaded } from "./facts.ts";
import { HELP, readFlags } from "./flags.ts";
import { measureStores } from "./stores.ts";
import { batchTable, curveTable, storesTable, writersTable } from "./report.ts";
import { page, restOf, type Section } from "./publish.ts";
import { told } from "../usage.ts";
import { measureWriters } from "./writers.ts";

const say = (text: string) => console.error(text);
const flags = told(HELP, readFlags);
const { quick, parts } = flags;
const start = facts();
warnIfLoaded(start.load, say);
const report: Record<string, unknown> = { quick, start };
const sections: Section[] = [];
const show = (title: string, text: string) => {
  sections.push({ title, text });
  console.log(`\n${title}\n\n${text}`);
};

if (parts.has("contest")) {
  const settings = {
    nodes: flags.nodes,
    rounds: quick ? 2 : 5,
    operations: quick ? 50 : 200,
    parallel: quick ? 160 : 800,
    valueBytes: 128,
    phase: quick ? 4 : 8,
    limit: quick ? 40 : 120,
  };
  const contest = await measureContestants(settings, flags.folder, say);
  report["contest"] = contest;
  show(
    `${settings.nodes} nodes in one process, records of 128 bytes, signed and mutable`,
    contestTable(contest),
  );
}
if (parts.has("batches")) {
  say("owners under one key, and batches");
  const owners = await measureOwners(64, quick ? 2 : 5, quick ? 20 : 64);
  const batches = await measureBatches(
    quick ? 64 : 256,
    64,
    quick ? 5 : 20,
  );
  report["owners"] = owners;
  report["batches"] = batches;
  show("In memory, everything but the network", batchTable(owners, batches));
}
if (parts.has("stores")) {
  say("records in memory and on disk");
  const stores = await measureStores(quick ? 2 : 5, quick ? 100 : 400);
  report["stores"] = stores;
  show(
    "16 nodes in memory, records in memory and on disk",
    storesTable(stores),
  );
}
if (parts.has("curve")) {
  const sizes = quick ? [8, 32, 128] : [8, 32, 128, 256, 1024, 4096];
  const curve = await measureCurve(
    sizes,
    quick ? 2 : 5,
    quick ? 50 : 200,
    say,
  );
  report["curve"] = curve;
  show("Cost by the number of nodes, in memory", curveTable(curve));
}
if (parts.has("writers")) {
  const writers = await measureWriters(flags.writers, say);
  report["writers"] = writers;
  show("Many writers under one key, nodes killed", writersTable(writers));
}
const end = facts();
report["end"] = end;
const json = `${JSON.stringify(report, null, 2)}\n`;
await Deno.writeTextFile(flags.json, json);
say(`\nAll numbers are in ${flags.json}.`);
if (flags.publish !== undefined) {
  const path = `${flags.publish}/benchmarks.md`;
  const present = await Deno.readTextFile(path).catch(() => "");
  const text = page(start, end.load, sections, restOf(present));
  await Deno.mkdir(flags.publish, { recursive: true });
  await Deno.writeTextFile(path, text);
  await Deno.writeTextFile(`${flags.publish}/benchmarks.json`, json);
}
warnIfLoaded(start.load, say);
Deno.exit(0);
