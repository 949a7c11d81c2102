import { assert, assertEquals } from "../assert.ts";
import { FAULTS } from "./faults.ts";
import { runWorld, type WorldResult } from "./world.ts";

const WORLDS = 100;
const EPOCHS = 100;

Deno.test("10,000 epochs: nothing is proposed twice or attested against one's own scores, every reveal comes, no epoch is lost", async () => {
  const results: WorldResult[] = [];
  for (let seed = 1; seed <= WORLDS; seed++) {
    const result = await runWorld(seed, EPOCHS);
    results.push(result);
    assertEquals(
      result.violations,
      [],
      `deno task simulate --seed ${seed} --epochs ${EPOCHS}`,
    );
  }
  const sum = (of: (result: WorldResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  assertEquals(sum(({ epochs }) => epochs), 10_000);
  // The worlds were neither idle nor hopeless.
  assert(sum(({ owed }) => owed) > 4_000);
  assert(sum(({ reached }) => reached) > 8_000);
  assert(sum(({ reveals }) => reveals) > 20_000);
  assert(sum(({ present }) => present) > 10_000);
  assert(sum(({ wrongClocks }) => wrongClocks) > 500);
  for (const fault of FAULTS) {
    assert(sum(({ faults }) => faults.get(fault) ?? 0) > 300, fault);
  }
  const diedAt = new Set(results.flatMap((each) => [...each.diedAt]));
  for (
    const step of [
      "work",
      "performed",
      "published",
      "evidence",
      "scoring",
      "scored",
      "attesting",
      "sent",
      "done",
      "preparing",
    ]
  ) assert(diedAt.has(step), `somebody was killed after writing "${step}"`);
});

Deno.test("the same seed gives the same world", async () => {
  const [first, second] = [await runWorld(5, 20), await runWorld(5, 20)];
  assertEquals(first, second);
  assert(first.faults.size > 0);
});
