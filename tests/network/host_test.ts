import { generateIdentity, type Identity } from "../../src/identity/mod.ts";
import { MetricsRegistry } from "../../src/core/mod.ts";
import {
  type Admission,
  type Duplex,
  Host,
  type HostOptions,
} from "../../src/network/mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

const base = () => ({ subnetId: 1, listen: ["/ip4/127.0.0.1/tcp/0"] });

async function start(
  options: Partial<HostOptions> & { identity?: Identity } = {},
): Promise<Host> {
  const host = await Host.create({
    ...base(),
    identity: generateIdentity(),
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

Deno.test(
  "a peer that is refused admission gets no connection, and it is counted",
  libp2p,
  async () => {
    const metrics = new MetricsRegistry();
    const welcome = generateIdentity();
    const stranger = generateIdentity();
    const admission: Admission = {
      refusal: (peerId) =>
        Promise.resolve(peerId === welcome.peerId ? undefined : "not-staked"),
    };
    const gate = await start({ admission, metrics });
    const bootstrap = gate.addresses();
    const [inside, outside] = await Promise.all([
      start({ identity: welcome, bootstrap }),
      start({ identity: stranger, bootstrap }),
    ]);
    try {
      await eventually(() => gate.members().length === 1, () => gate.members());
      assertEquals(gate.members(), [welcome.peerId]);
      const refused = () =>
        metrics.get("meshnode_network_refused_total", {
          direction: "inbound",
          reason: "not-staked",
        });
      await eventually(() => refused() > 0, refused);
      assertEquals([...gate.connected()], [welcome.peerId]);
      assertEquals(outside.members(), []);
    } finally {
      await Promise.all([gate, inside, outside].map((host) => host.stop()));
    }
  },
);

Deno.test(
  "streams carry bytes both ways, with back-pressure, and say who is there",
  libp2p,
  async () => {
    const server = await Host.create({
      ...base(),
      identity: generateIdentity(),
    });
    const accepted = Promise.withResolvers<Duplex>();
    (await server.transport("/test/1")).accept(accepted.resolve);
    await server.start();
    const client = await start({ bootstrap: server.addresses() });
    try {
      const transport = await client.transport("/test/1");
      await eventually(() => client.members().length === 1, () => "no member");
      const near = await transport.open(server.peerId);
      await near.write(new Uint8Array([1]));
      const far = await accepted.promise;
      assertEquals(far.remotePeer, client.peerId);
      assertEquals(near.remotePeer, server.peerId);
      // Nobody reads at first: the writer must come to a halt.
      let written = 0;
      const chunk = new Uint8Array(256 * 1024);
      const writing = (async () => {
        for (; written < 64; written++) await near.write(chunk);
        await near.close();
      })();
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert(written < 64, `${written} chunks left without a reader`);
      let received = 0;
      for await (const bytes of far) received += bytes.length;
      await writing;
      assertEquals(received, 64 * chunk.length + 1);
    } finally {
      await Promise.all([client.stop(), server.stop()]);
    }
  },
);

Deno.test(
  "a peer that cannot be reached is a typed error within the deadline",
  libp2p,
  async () => {
    const host = await start();
    try {
      const transport = await host.transport("/test/1");
      await assertRejects(
        transport.open(generateIdentity().peerId, AbortSignal.timeout(2_000)),
        { code: "PEER_UNREACHABLE" },
      );
    } finally {
      await host.stop();
    }
  },
);

Deno.test(
  "bad addresses and taken ports are named in the error",
  libp2p,
  async () => {
    for (
      const [options, code] of [
        [{ listen: ["nonsense"] }, "ADDRESS_INVALID"],
        [{ bootstrap: ["/ip4/127.0.0.1/tcp/1"] }, "ADDRESS_INVALID"],
        [{ bootstrap: ["/ip4/127.0.0.1/tcp/1/p2p/x"] }, "PEER_ID_INVALID"],
      ] as const
    ) {
      await assertRejects(
        Host.create({ ...base(), identity: generateIdentity(), ...options }),
        { code },
      );
    }
    const first = await start();
    const port = /tcp\/(\d+)/.exec(first.addresses()[0] ?? "")?.[1];
    const second = await Host.create({
      identity: generateIdentity(),
      subnetId: 1,
      listen: [`/ip4/127.0.0.1/tcp/${port}`],
    });
    try {
      await assertRejects(second.start(), { code: "CANNOT_LISTEN" });
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  },
);

Deno.test(
  "a node whose entry point comes late, or comes back, is in the mesh",
  libp2p,
  async () => {
    const identity = generateIdentity();
    const first = await start({ identity });
    const [address] = first.addresses();
    const port = /tcp\/(\d+)/.exec(address ?? "")?.[1];
    const listen = [`/ip4/127.0.0.1/tcp/${port}`];
    await first.stop();
    const node = await start({ bootstrap: [address ?? ""] });
    let entry = await start({ identity, listen });
    try {
      await eventually(() => node.members().length === 1, () => "never met");
      await entry.stop();
      await eventually(() => node.members().length === 0, () => "still there");
      entry = await start({ identity, listen });
      await eventually(() => node.members().length === 1, () => "not back");
    } finally {
      await Promise.all([node.stop(), entry.stop()]);
    }
  },
);
