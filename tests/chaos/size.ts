import { parseArgs } from "node:util";

/** How large the kill tests are: small in the suite, full by `deno task chaos`. */
export const SIZE = Deno.env.get("MESHNODE_CHAOS") === "full"
  ? {
    nodes: 64,
    records: 1_000,
    rounds: 10,
    /** How long repair has after each killing, ms. */
    interval: 30_000,
    /** How long nodes come and go, min. */
    minutes: 30,
    /** Gets at a time meanwhile. */
    probes: 20,
  }
  : {
    nodes: 24,
    records: 120,
    rounds: 2,
    interval: 30_000,
    minutes: 5,
    probes: 5,
  };

/** What chance follows from in all kill tests: `deno task chaos --seed N`. */
export const SEED = seedOf(Deno.args);

function seedOf(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: "string", default: "0" } },
  });
  const seed = Number(values.seed);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new Error(`--seed is a whole number, not "${values.seed}".`);
}
