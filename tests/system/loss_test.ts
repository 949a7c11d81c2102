import { fileURLToPath } from "node:url";
import { hasNamespaces } from "../../scripts/bench/loss/lan.ts";
import type { AttackResult } from "../../scripts/bench/loss/attack.ts";
import { ATTACKS } from "../../scripts/bench/loss/attacker.ts";
import type { CutOffResult } from "../../scripts/bench/loss/cut_off.ts";
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

/** Room for the records that an attacker may leave, and for what comes and goes, MiB. */
const MOST_LEFT = 128;

Deno.test({
  name:
    "under one attacker at full speed, member or stranger, honest processes go on and their memory is bounded",
  ignore,
  fn: async () => {
    const { attacks } = await measured<{ readonly attacks: AttackResult[] }>(
      ...["--parts", "attack", "--attack-nodes", "3", "--attack-time", "6"],
    );
    assertEquals(attacks.map(({ attack }) => attack), [...ATTACKS]);
    for (const { attack, did, attacked, memory } of attacks) {
      assert(did.sent > 100, `${attack} sent ${did.sent}`);
      for (const { gets, found } of Object.values(attacked)) {
        assert(gets > 0 && found >= 0.95, `${attack}: ${found} of ${gets}`);
      }
      const left = memory.after - memory.before;
      assert(left < MOST_LEFT, `${attack} left ${left} MiB`);
    }
  },
});

Deno.test({
  name:
    "a node whose packets are dropped calls itself isolated, and is back with what it stored alone once they are not",
  ignore,
  fn: async () => {
    const { cutOff } = await measured<{ readonly cutOff: CutOffResult }>(
      ...["--parts", "cut-off", "--cut-nodes", "4", "--cut-time", "1"],
    );
    assertEquals(cutOff.states, ["joined", "isolated", "joined"]);
    const { missedAfter, backAfter, allAfter, seenAfter } = cutOff;
    const times = { missedAfter, backAfter, allAfter, seenAfter };
    for (const [name, time] of Object.entries(times)) {
      assert(time !== undefined, `${name} never came`);
    }
    assertEquals([cutOff.reads, cutOff.told], [1, 1]);
  },
});
