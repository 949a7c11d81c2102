// deno-lint-ignore-file no-console
// Measures what losses cost over TCP, between real processes: see flags.ts for
// what it can be told.
import { measureAttacks } from "./attack.ts";
import { facts, warnIfLoaded } from "../dht/facts.ts";
import { measureCutOff } from "./cut_off.ts";
import { HELP, readFlags } from "./flags.ts";
import { hasNamespaces, Lan, runInside } from "./lan.ts";
import { measureReads, type ReadsResult } from "./reads.ts";
import { told } from "../usage.ts";
import { attackTable, cutOffTable, readsTable } from "./report.ts";

const say = (text: string) => console.error(text);
const flags = told(HELP, readFlags);
if (!flags.inside) {
  if (!hasNamespaces()) {
    say(
      "This machine does not let us make network namespaces. It must be Linux " +
        "with the programs unshare and ip, and allow namespaces to this user.",
    );
    Deno.exit(69);
  }
  const script = new URL(import.meta.url).pathname;
  Deno.exit(await runInside(script, ["--inside", ...Deno.args]));
}
// Whoever waits for the numbers holds this open.
Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit(1));

const start = facts();
warnIfLoaded(start.load, say);
const report: Record<string, unknown> = { start };
const lan = await Lan.create();
const reads: ReadsResult[] = [];
for (const harm of ["killed", "black-holed"] as const) {
  if (!flags.parts.has(harm)) continue;
  reads.push(await measureReads(lan, harm, flags.reads, say));
}
if (reads.length > 0) {
  report["reads"] = reads;
  console.log(`\nReads, from the moment of the harm\n\n${readsTable(reads)}`);
}
if (flags.parts.has("attack")) {
  const attacks = await measureAttacks(lan, flags.attacks, say);
  report["attacks"] = attacks;
  console.log(`\nOne attacker against one node\n\n${attackTable(attacks)}`);
}
if (flags.parts.has("cut-off")) {
  const cutOff = await measureCutOff(lan, flags.cutOff, say);
  report["cutOff"] = cutOff;
  console.log(`\nOne node cut off and let back\n\n${cutOffTable(cutOff)}`);
}
report["end"] = facts();
await Deno.writeTextFile(flags.json, `${JSON.stringify(report, null, 2)}\n`);
say(`\nAll numbers are in ${flags.json}.`);
Deno.exit(0);
