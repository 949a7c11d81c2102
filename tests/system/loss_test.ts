import { fileURLToPath } from "node:url";
import { hasNamespaces } from "../../scripts/bench/loss/lan.ts";
import type { ReadsResult } from "../../scripts/bench/loss/reads.ts";
import { assert, assertEquals } from "../assert.ts";
import { withFolder } from "./program.ts";

const MAIN = fileURLToPath(
  new URL("../../scripts/bench/loss/main.ts", import.meta.url),
);
// Where no network can be made, none can be cut.
const ignore = !hasNamespaces();

/** Runs parts of the benchmark at a small size, and gives its numbers. */
async function measured<T>(...args: string[]): Promise<T> {
  let report: T | undefined;
  await withFolder(async (folder) => {
    const json = `${folder}/loss.json`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", MAIN, "--json", json, ...args],
      stdout: "null",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    report = JSON.parse(await Deno.readTextFile(json)) as T;
  });
  return report as T;
}

Deno.test({
  name:
    "over TCP, every record is found from the moment on in which processes are killed or their packets dropped",
  ignore,
  fn: async () => {
    const { reads } = await measured<{ readonly reads: ReadsResult[] }>(
      ...["--parts", "killed,black-holed", "--nodes", "7", "--records", "40"],
      ...["--readers", "3", "--after", "5"],
    );
    assertEquals(reads.map(({ harm }) => harm), ["killed", "black-holed"]);
    for (const { hurt, calm, loss } of reads) {
      assertEquals(hurt, 2);
      assert(calm.gets > 0 && loss.gets > 0);
      assertEquals([calm.found, loss.found], [1, 1]);
    }
  },
});
