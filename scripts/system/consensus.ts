// deno-lint-ignore-file no-console
// Validators in processes of their own on a development chain, which are
// killed, terminated and frozen by a seeded plan, and where the machine allows
// it have their networks cut: no epoch may be lost that enough of them could
// have attested.
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hasNamespaces, Lan, runInside } from "../bench/loss/lan.ts";
import { FAULT_KINDS, isNetworkFault } from "./faults.ts";
import { runUnderFaults } from "./run.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    epochs: { type: "string", default: "50" },
    seed: { type: "string", default: String(randomInt(2 ** 32)) },
    faults: { type: "string", default: FAULT_KINDS.join() },
    // Whether this is the process within the namespaces.
    inside: { type: "boolean", default: false },
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
const wanted = values.faults.split(",").map((name) => {
  const kind = FAULT_KINDS.find((each) => each === name);
  if (kind !== undefined) return kind;
  throw new Error(`--faults lists some of ${FAULT_KINDS.join()}.`);
});
if (values.inside) {
  // Whoever waits for the result holds this open.
  Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit(1));
} else if (wanted.some(isNetworkFault)) {
  if (hasNamespaces()) {
    const script = fileURLToPath(import.meta.url);
    const args = ["--epochs", `${epochs}`, "--seed", `${seed}`];
    Deno.exit(
      await runInside(script, [...args, "--faults", wanted.join(), "--inside"]),
    );
  }
  console.log(
    "This machine gives us no network namespaces (Linux with unshare and ip): " +
      "no network is cut, and the seed's faults are others than with them.",
  );
}
const kinds = values.inside
  ? wanted
  : wanted.filter((each) => !isNetworkFault(each));
if (kinds.length === 0) Deno.exit(69);
console.log(`${epochs} epochs, faults by --seed ${seed}`);
const directory = await Deno.makeTempDir({ prefix: "meshnode-system-" });
const { broken, due, reached, votedAgain, faults } = await runUnderFaults({
  directory,
  epochs,
  seed,
  kinds,
  lan: values.inside ? await Lan.create() : undefined,
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
