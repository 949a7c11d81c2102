// deno-lint-ignore-file no-console -- it is a program that prints
import { parseArgs } from "node:util";
import { runWorld } from "./world.ts";

const tell = (line: string) => console.log(line);

/** Runs the worlds of some seeds and tells what each came to. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    epochs: { type: "string", default: "100" },
    worlds: { type: "string", default: "1" },
  },
});
const [seed, epochs, worlds] = [values.seed, values.epochs, values.worlds]
  .map(Number) as [number, number, number];
let failed = 0;
for (let i = 0; i < worlds; i++) {
  const { faults, diedAt, violations, ...result } = await runWorld(
    seed + i,
    epochs,
  );
  tell(JSON.stringify({
    ...result,
    faults: Object.fromEntries(faults),
    diedAt: [...diedAt].join(" "),
  }));
  for (const violation of violations) tell(violation);
  if (violations.length > 0) failed++;
}
if (worlds > 1) tell(`${worlds - failed} of ${worlds} worlds are well.`);
Deno.exit(failed === 0 ? 0 : 1);
