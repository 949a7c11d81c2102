// Gives every decoder many changed inputs: only errors of the project's own may
// come out. `--runs N`, `--seed N`, `--target NAME`, `--input HEX`.
import { parseArgs } from "node:util";
import { bears, fuzz } from "./engine.ts";
import { allTargets } from "./targets/mod.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
    target: { type: "string" },
    input: { type: "string" },
  },
});
const print = (line: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const seed = Number(values.seed);
const runs = Number(values.runs);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs)) {
  print("--seed and --runs are whole numbers.");
  Deno.exit(2);
}
const targets = (await allTargets()).filter(({ name }) =>
  values.target === undefined || name === values.target
);
if (targets.length === 0) {
  print(`There is no target ${values.target}.`);
  Deno.exit(2);
}
print(`seed ${seed}`);
let failures = 0;
for (const target of targets) {
  const start = performance.now();
  try {
    if (values.input !== undefined) {
      const taken = await bears(target, Uint8Array.fromHex(values.input));
      print(`${target.name}: ${taken ? "decodes" : "refused"}`);
      continue;
    }
    const result = await fuzz(target, { seed, runs });
    const seconds = (performance.now() - start) / 1_000;
    print(
      `${target.name.padEnd(24)} ${String(result.runs).padStart(9)} inputs, ` +
        `${result.accepted} decoded, ${seconds.toFixed(1)} s`,
    );
  } catch (error) {
    failures++;
    print(`FAILED ${error instanceof Error ? error.stack : error}`);
  }
}
Deno.exit(failures === 0 ? 0 : 1);
