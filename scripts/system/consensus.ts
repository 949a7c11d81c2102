// deno-lint-ignore-file no-console
// Validators in processes of their own on a development chain, which are
// killed, terminated and frozen by a seeded plan: no epoch may be lost that
// enough of them could have attested.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runUnderFaults } from "./run.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    epochs: { type: "string", default: "50" },
    seed: { type: "string", default: String(randomInt(2 ** 32)) },
  },
});
const epochs = Number(values.epochs);
const seed = Number(values.seed);
if (!(Number.isInteger(epochs) && epochs >= 4)) {
  throw new Error("--epochs is a whole number of at least 4.");
}
if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
  throw new Error("--seed is a whole number from 0 to 2^32 - 1.");
}
console.log(`${epochs} epochs, faults by --seed ${seed}`);
const directory = await Deno.makeTempDir({ prefix: "meshnode-system-" });
const { broken, due, reached, votedAgain, faults } = await runUnderFaults({
  directory,
  epochs,
  seed,
  print: (line) => console.log(line),
});
for (const each of broken) console.log(each);
const passed = broken.length === 0 && due > 0;
console.log(
  `${epochs} epochs, ${due} had to reach quorum, ${reached} did; ` +
    `${faults} faults, votes again after ${votedAgain}: ` +
    (passed ? "passed" : `FAILED, logs are in ${directory}`),
);
if (passed) await Deno.remove(directory, { recursive: true });
Deno.exit(passed ? 0 : 1);
