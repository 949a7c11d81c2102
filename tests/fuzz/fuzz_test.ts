import { MeshError } from "../../mod.ts";
import { fuzz, FuzzFailure, type Target } from "../../scripts/fuzz/engine.ts";
import { mutate } from "../../scripts/fuzz/mutate.ts";
import { SeededRandom } from "../../scripts/fuzz/random.ts";
import { allTargets } from "../../scripts/fuzz/targets/mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** The seed of the suite; the task takes another one each time. */
const SEED = 20_260;
const RUNS = 10_000;

const targets = await allTargets();

for (const target of targets) {
  Deno.test(`${target.name} bears whatever it is given`, async () => {
    const wanted = Math.ceil(RUNS / (target.slowness ?? 1));
    const { runs } = await fuzz(target, { seed: SEED, runs: wanted });
    assertEquals(runs, wanted);
  });
}

Deno.test("targets have names of their own", () => {
  const names = new Set(targets.map(({ name }) => name));
  assertEquals(names.size, targets.length);
});

Deno.test("the same seed changes samples in the same way, another in another", () => {
  const samples = [new Uint8Array(100), Uint8Array.of(1, 2, 3)];
  const made = (seed: number) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 50 }, () => mutate(samples, random).toHex());
  };
  assertEquals(made(5), made(5));
  assert(made(5).join() !== made(6).join());
  assertEquals(samples[0], new Uint8Array(100), "samples stay as they are");
});

Deno.test("what a decoder does not bear is found, with what shows it again", async () => {
  const sample = new Uint8Array(4);
  const target = (run: (bytes: Uint8Array) => unknown): Target => ({
    name: "broken",
    samples: [sample],
    run: (bytes) => bytes.length === 4 && bytes[0] === 0 || run(bytes),
  });
  const failing: ((bytes: Uint8Array) => unknown)[] = [
    (bytes) => {
      throw new RangeError(`${bytes.length}`);
    },
    () => Promise.reject(new TypeError("later")),
    () => {
      Promise.reject(new Error("nobody's"));
    },
  ];
  for (const run of failing) {
    await assertRejects(
      fuzz(target(run), { seed: 1, runs: 100 }),
      (error) =>
        error instanceof FuzzFailure &&
        /seed 1/.test(error.message) && /--input [0-9a-f]*/.test(error.message),
    );
  }
  const typed = target(() => {
    throw new MeshError("REFUSED", "as it should be");
  });
  const { runs } = await fuzz(typed, { seed: 1, runs: 100 });
  assertEquals(runs, 100);
});
