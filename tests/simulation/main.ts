// deno-lint-ignore-file no-console -- it is a program that prints
import { parseArgs } from "node:util";
import { runWorld } from "./world.ts";

const tell = (line: string) => console.log(line);

/** Runs the world of one seed and tells what it came to. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    epochs: { type: "string", default: "100" },
  },
});
const { diedAt, violations, ...result } = await runWorld(
  Number(values.seed),
  Number(values.epochs),
);
tell(JSON.stringify({ ...result, diedAt: [...diedAt].join(" ") }));
for (const violation of violations) tell(violation);
Deno.exit(violations.length === 0 ? 0 : 1);
