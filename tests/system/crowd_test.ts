import { fileURLToPath } from "node:url";
import { hasNamespaces } from "../../scripts/bench/loss/lan.ts";
import { assert, assertEquals } from "../assert.ts";
import { type Crowd, SITE } from "./crowd.ts";

const SCRIPT = fileURLToPath(new URL("crowd.ts", import.meta.url));

Deno.test({
  name:
    "a node takes in as many members of one network as it is told, and others as many as they are",
  // Where no network can be made, all nodes are on this machine.
  ignore: !hasNamespaces(),
  fn: async () => {
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["-Urnmpf", "--kill-child", "--mount-proc"],
        ...[Deno.execPath(), "run", "-A", "-q", SCRIPT],
      ],
    }).output();
    const text = new TextDecoder();
    assert(success, text.decode(stderr));
    const { limited, open, crowded } = JSON.parse(text.decode(stdout)) as Crowd;
    assertEquals([limited, open], [SITE.taken, SITE.nodes]);
    assert(crowded);
  },
});
