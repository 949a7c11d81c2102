import { generateIdentity } from "../../../mod.ts";
import { assert, assertEquals } from "../../assert.ts";
import { accountOf, withNetwork } from "./network.ts";

for (const metadata of ["r26", "r25"] as const) {
  Deno.test(`the network's subnets and nodes are counted as the chain does, ${metadata}`, () =>
    withNetwork(async ({ server, run }) => {
      const status = async () => {
        const { code, out, err } = await run(["chain", "status", "--json"]);
        assertEquals([code, err], [0, ""]);
        return JSON.parse(out);
      };
      assertEquals((await status()).network, {
        ...{ subnets: 1, activeSubnets: 1, paused: false },
        ...{ nodes: 4, activeNodes: 4 },
      });
      server.register({
        ...{ hotkey: accountOf(5), coldkey: accountOf(1_005) },
        ...{ peerId: generateIdentity().peerId, nodeClass: "registered" },
      });
      server.produce();
      const { out } = await run(["chain", "status"]);
      assert(/^Nodes +5, 4 active$/m.test(out), out);
      assert(/^Subnets +1, 1 active$/m.test(out), out);
      const told = await status();
      assertEquals(told.runtime.layout, metadata.toUpperCase());
    }, { metadata }));
}
