import { readFlags as dhtFlags } from "../../scripts/bench/dht/flags.ts";
import { readFlags as lossFlags } from "../../scripts/bench/loss/flags.ts";
import {
  argumentsOf,
  numberOf,
  UsageError,
} from "../../scripts/bench/usage.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

Deno.test("benchmarks name what makes no sense in their flags", () => {
  const cases: (readonly [() => unknown, string])[] = [
    [
      () => dhtFlags(["--parts", "contest,curves"]),
      '--parts knows no "curves"',
    ],
    [() => dhtFlags(["--parts", ""]), '--parts knows no ""'],
    [() => dhtFlags(["--nods", "3"]), "Unknown option '--nods'."],
    [() => dhtFlags(["--nodes"]), "--nodes"],
    [() => dhtFlags(["--nodes", "2.5"]), "--nodes is a whole number"],
    [() => dhtFlags(["--nodes", "many"]), 'not "many"'],
    [() => dhtFlags(["--failure-rate", "2"]), "--failure-rate is a number"],
    [() => dhtFlags(["curve"]), "curve"],
    [() => lossFlags(["--parts", "death"]), "killed, black-holed"],
    [() => lossFlags(["--attacks", "kindness"]), '--attacks knows no "kind'],
    [() => lossFlags(["--nodes", "201"]), "from 0 to 200"],
    [() => lossFlags(["--share", ""]), "--share"],
    [() => argumentsOf(["1", "2"], 1), '"2" is not expected.'],
    [() => argumentsOf(["--fast"], 1), "'--fast'"],
    [() => numberOf("COUNT", "0", { least: 1 }), "not below 1"],
  ];
  for (const [act, says] of cases) {
    assertThrows(act, (error: unknown) => {
      assert(error instanceof UsageError, String(error));
      assert(error.message.includes(says), error.message);
      return true;
    });
  }
});

Deno.test("benchmarks take what makes sense", () => {
  const dht = dhtFlags(["--quick", "--parts", "curve,stores", "--delay=0.5"]);
  assertEquals([...dht.parts], ["stores", "curve"]);
  assertEquals(
    [dht.quick, dht.writers.delay, dht.writers.rounds, dht.nodes],
    [true, 0.5, 4, 32],
  );
  const loss = lossFlags(["--inside", "--cut-time", "60"]);
  assertEquals(
    [loss.inside, loss.cutOff.duration, loss.parts.size],
    [true, 60_000, 4],
  );
});

Deno.test("a benchmark that is told nonsense says what, ends with 2, and measures nothing", async () => {
  const run = async (script: string, ...args: string[]) => {
    const path = new URL(`../../scripts/bench/${script}`, import.meta.url);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-A", path.pathname, ...args],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  };
  const wrong = await run("dht/main.ts", "--parts", "curves");
  assertEquals([wrong.code, wrong.out], [2, ""], wrong.err);
  assert(/^error: --parts knows no "curves"/.test(wrong.err), wrong.err);
  assert(wrong.err.includes("--quick"), "the usage follows");
  const help = await run("records.ts", "--help");
  assertEquals([help.code, help.err], [0, ""], help.out);
  assert(help.out.includes("COUNT"), help.out);
  assertEquals((await run("records.ts", "few")).code, 2);
});
