import { fileURLToPath } from "node:url";
import { hasNamespaces, insideCommand } from "../../scripts/bench/loss/lan.ts";
import { assert, assertEquals } from "../assert.ts";

const PROBE = fileURLToPath(new URL("lan_probe.ts", import.meta.url));

Deno.test({
  name: "groups that are parted hear nothing of each other, and no refusal",
  // Where no network can be made, none can be cut.
  ignore: !hasNamespaces(),
  fn: async () => {
    const [program, ...args] = insideCommand(PROBE, []);
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stderr));
    assertEquals(JSON.parse(decoder.decode(stdout)), {
      whole: ["answered", "answered"],
      parted: ["silent", "answered"],
      alone: ["silent", "silent"],
      joined: ["answered", "answered"],
    });
  },
});
