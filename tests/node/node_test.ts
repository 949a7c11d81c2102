import {
  createNode,
  generateIdentity,
  type Identity,
  LocalChain,
  type MeshNode,
  type NodeClass,
  type NodeOptions,
} from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { withChainMesh } from "./chain_mesh.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

async function withNodes(
  count: number,
  test: (nodes: MeshNode[]) => Promise<void>,
  options: NodeOptions = {},
): Promise<void> {
  const nodes = [await createNode(options)];
  try {
    const bootstrap = nodes[0]?.addresses() ?? [];
    for (let i = 1; i < count; i++) {
      nodes.push(await createNode({ ...options, bootstrap }));
    }
    await eventually(
      () => nodes.every((node) => node.members().length === count - 1),
      () => nodes.map((node) => node.members().length).join(),
    );
    await test(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

Deno.test(
  "nodes without a chain share records over real connections",
  libp2p,
  () =>
    withNodes(4, async (nodes) => {
      const [first, , third] = nodes as [MeshNode, MeshNode, MeshNode];
      const { replicas } = await first.dht.store({
        key: "greeting",
        value: "hello",
        expiration: Date.now() / 1000 + 60,
      }, { awaitAll: true });
      assertEquals(
        replicas.map(({ outcome }) => outcome),
        Array(4).fill("stored"),
      );
      const found = await third.dht.get("greeting");
      assert(found?.kind === "plain");
      assertEquals(found.value, "hello");
      assertEquals(first.status().records >= 1, true);
    }),
);

Deno.test(
  "nodes see each other online with round-trip times, and leave in an orderly way",
  libp2p,
  () =>
    withNodes(3, async (nodes) => {
      const [first, second, third] = nodes as [MeshNode, MeshNode, MeshNode];
      const states = async () =>
        (await first.directory.read()).map(({ info }) => info.state).join();
      await eventually(
        async () => await states() === "online,online,online",
        () => nodes.map((node) => node.status().state),
      );
      await eventually(
        () => nodes.every((node) => node.status().rtt.size === 2),
        () => nodes.map((node) => [...node.status().rtt]),
      );
      await third.stop();
      const left = async () =>
        (await second.directory.read()).find(({ peerId }) =>
          peerId === third.peerId
        )?.info.state;
      assertEquals(await left(), "offline");
    }, { heartbeatPeriod: 1 }),
);

Deno.test(
  "a subnet's own protocol is served between nodes",
  libp2p,
  () =>
    withNodes(2, async (nodes) => {
      const [server, client] = nodes as [MeshNode, MeshNode];
      server.rpc.register(
        "sum",
        (body) =>
          Promise.resolve(
            Uint8Array.of(body.reduce((sum, byte) => sum + byte, 0)),
          ),
      );
      assertEquals(
        await client.rpc.call(server.peerId, "sum", Uint8Array.of(1, 2, 3)),
        Uint8Array.of(6),
      );
    }),
);

Deno.test(
  "with a chain, only peers with stake are let in",
  libp2p,
  () =>
    withChainMesh(0, async ({ path, chain, enlist }) => {
      const members = [generateIdentity(), generateIdentity()];
      for (const identity of members) enlist(identity);
      const start = (identity?: Identity, bootstrap: string[] = []) =>
        createNode({
          ...(identity === undefined ? {} : { identity }),
          bootstrap,
          chain: { chain: LocalChain.open(path) },
          heartbeatPeriod: 1,
        });
      const nodes = [await start(members[0])];
      try {
        const bootstrap = nodes[0]?.addresses() ?? [];
        nodes.push(await start(members[1], bootstrap));
        nodes.push(await start(undefined, bootstrap));
        const [first, second, stranger] = nodes as [
          MeshNode,
          MeshNode,
          MeshNode,
        ];
        await eventually(
          () => first.members().length === 1,
          () => first.members(),
        );
        assertEquals(first.members(), [second.peerId]);
        await assertRejects(
          stranger.rpc.call(first.peerId, "dht.ping", new Uint8Array()),
        );
        assertEquals(first.members(), [second.peerId]);
        chain.remove(2);
        await eventually(
          () => first.members().length === 0,
          () => first.members(),
        );
        await assertRejects(
          second.rpc.call(first.peerId, "dht.ping", new Uint8Array()),
        );
      } finally {
        await Promise.all(nodes.map((node) => node.stop()));
      }
    }),
);

Deno.test(
  "a method may ask for a class, and a node may let newcomers in",
  libp2p,
  () =>
    withChainMesh(0, async ({ path, enlist }) => {
      const [validator, newcomer] = [generateIdentity(), generateIdentity()];
      enlist(validator);
      enlist(newcomer, "registered");
      const start = (
        identity: Identity,
        minClass: NodeClass,
        bootstrap: string[] = [],
      ) =>
        createNode({
          ...{ identity, bootstrap },
          chain: { chain: LocalChain.open(path), minClass },
        });
      const open = await start(validator, "registered");
      const guest = await start(newcomer, "registered", open.addresses());
      try {
        // It counts once the epoch after its registration has begun.
        await eventually(
          () => open.members().length === 1,
          () => open.members(),
        );
        const echo = (body: Uint8Array) => Promise.resolve(body);
        open.rpc.register("for.all", echo);
        open.rpc.register("for.validators", echo, { minClass: "validator" });
        const call = (method: string) =>
          guest.rpc.call(open.peerId, method, Uint8Array.of(1));
        assertEquals(await call("for.all"), Uint8Array.of(1));
        await assertRejects(call("for.validators"), {
          code: "RPC_UNAUTHORIZED",
          message: /low-class/,
        });
      } finally {
        await Promise.all([open.stop(), guest.stop()]);
      }
    }, {
      chain: { blockMilliseconds: 100, epochLength: 10, queueEpochs: 1_000 },
    }),
);

Deno.test(
  "a start that fails or is cancelled leaves nothing behind",
  libp2p,
  async () => {
    await withNodes(1, async ([node]) => {
      const port = /tcp\/(\d+)/.exec(node?.addresses()[0] ?? "")?.[1];
      await assertRejects(
        createNode({ listen: [`/ip4/127.0.0.1/tcp/${port}`] }),
        { code: "CANNOT_LISTEN" },
      );
    });
    await assertRejects(
      createNode({ signal: AbortSignal.abort(new Error("no")) }),
      {
        message: "no",
      },
    );
  },
);
