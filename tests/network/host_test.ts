import { generateIdentity, type Identity } from "../../src/identity/mod.ts";
import { Host, type HostOptions } from "../../src/network/mod.ts";
import { eventually } from "../eventually.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

async function start(
  options: Partial<HostOptions> & { identity?: Identity } = {},
): Promise<Host> {
  const host = await Host.create({
    identity: generateIdentity(),
    subnetId: 1,
    listen: ["/ip4/127.0.0.1/tcp/0"],
    ...options,
  });
  await host.start();
  return host;
}

Deno.test(
  "nodes started all at once always end in one mesh",
  libp2p,
  async () => {
    for (let round = 0; round < 20; round++) {
      const entry = await start();
      const hosts = [
        entry,
        ...await Promise.all(
          Array.from(
            { length: 5 },
            () => start({ bootstrap: entry.addresses() }),
          ),
        ),
      ];
      try {
        await eventually(
          () => hosts.every((host) => host.members().length === 5),
          () => hosts.map((host) => host.members().length).join(),
        );
      } finally {
        await Promise.all(hosts.map((host) => host.stop()));
      }
    }
  },
);
