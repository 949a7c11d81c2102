import { createClient, createNode, type MeshNode } from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a client stores and reads, and nobody ever counts it among the replicas",
  libp2p,
  async () => {
    const nodes: MeshNode[] = [await createNode()];
    try {
      const bootstrap = nodes[0]?.addresses() ?? [];
      for (let i = 0; i < 2; i++) nodes.push(await createNode({ bootstrap }));
      await eventually(
        () => nodes.every((node) => node.members().length === 2),
        () => nodes.map((node) => node.members().length),
      );
      const client = await createClient({ bootstrap });
      try {
        await client.joined(30_000);
        await eventually(
          () => client.members().length === 3,
          () => client.members(),
        );
        const { replicas } = await client.dht.store({
          key: "k",
          value: 1,
          expiration: Date.now() / 1_000 + 60,
        }, { awaitAll: true });
        assertEquals(
          replicas.map(({ peerId }) => peerId).toSorted(),
          nodes.map(({ peerId }) => peerId).toSorted(),
        );
        assertEquals(client.dht.records, 0);
        const found = await client.dht.get("k");
        assert(found?.kind === "plain" && found.value === 1);
        for (const node of nodes) {
          assert(!node.members().includes(client.identity.peerId));
          assertEquals(node.dht.replicasOf("k").length, 3);
        }
      } finally {
        await client.stop();
      }
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  },
);

Deno.test("a client that reaches nobody says so", libp2p, async () => {
  const client = await createClient({
    bootstrap: [
      "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
    ],
  });
  try {
    await assertRejects(client.joined(500), { code: "MESH_UNREACHABLE" });
    await assertRejects(
      client.joined(60_000, AbortSignal.abort("no")),
      (error) => error === "no",
    );
  } finally {
    await client.stop();
  }
});
