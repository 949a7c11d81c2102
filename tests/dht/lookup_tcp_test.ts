import { multiaddr } from "@multiformats/multiaddr";
import {
  CompositeValidator,
  createNode,
  dhtId,
  generateIdentity,
  MetricsRegistry,
  SignatureAuthorizer,
  SignatureValidator,
  systemClock,
} from "../../mod.ts";
import {
  CLOSEST,
  encodeClosestPeers,
} from "../../src/dht/lookup/lookup_wire.ts";
import { Dht } from "../../src/dht/mod.ts";
import { Neighbourhood } from "../../src/dht/neighbourhood.ts";
import { Host } from "../../src/network/mod.ts";
import { Rpc } from "../../src/rpc/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { values } from "./fixture.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

const later = () => Date.now() / 1_000 + 600;
const KEYS = Array.from({ length: 8 }, (_, i) => `key-${i}`);
/** Nobody listens there. */
const NOWHERE = multiaddr("/ip4/127.0.0.1/tcp/1").bytes;

/** Calls over TCP of a peer of its own. */
async function caller() {
  const identity = generateIdentity();
  const listen = ["/ip4/127.0.0.1/tcp/0"];
  const host = await Host.create({ identity, subnetId: 1, listen });
  const rpc = new Rpc({
    transport: await host.transport("/meshnode/1/rpc/1.0.0"),
    authorizer: new SignatureAuthorizer(identity, systemClock),
  });
  const stop = async () => {
    await rpc.stop();
    await host.stop();
  };
  return { identity, host, rpc, stop };
}

/** A node that knows whom it is told, and no others. */
async function partial() {
  const { identity, host, rpc, stop } = await caller();
  const metrics = new MetricsRegistry();
  let known: readonly string[] = [];
  const dht = new Dht({
    peerId: identity.peerId,
    calls: rpc,
    members: () => known,
    isComplete: () => false,
    addresses: host.addressBook,
    validator: new CompositeValidator([new SignatureValidator(identity)]),
    metrics,
  });
  await host.start();
  return {
    ...{ peerId: identity.peerId, host, dht, metrics },
    /** Tells it of others, and where they are. */
    know: async (others: readonly { peerId: string; host: Host }[]) => {
      await host.addressBook.learn(others.map(({ peerId, host }) => ({
        peerId,
        addresses: host.addresses().map((text) => multiaddr(text).bytes),
      })));
      known = others.map(({ peerId }) => peerId);
    },
    stop: async () => {
      await dht.stop();
      await stop();
    },
  };
}

/** Nodes that know their neighbours in the key space and two others. */
async function sparse(count: number) {
  const nodes = await Promise.all(Array.from({ length: count }, partial));
  const ids = nodes.map(({ peerId }) => peerId);
  const whole = new Neighbourhood(ids[0] as string, () => ids.slice(1));
  for (const [i, { peerId, know }] of nodes.entries()) {
    const near = whole.nearest(whole.placeOf(peerId), 8);
    const far = [3, 7].map((step) => ids[(i + step) % count]);
    await know(
      nodes.filter((each) =>
        each.peerId !== peerId &&
        (near.includes(each.peerId) || far.includes(each.peerId))
      ),
    );
  }
  const replicasOf = (key: string) => whole.nearest(dhtId(key), 5);
  return { nodes, replicasOf };
}

type Node = Awaited<ReturnType<typeof partial>>;

/** Stores a record under each key, from another node each time. */
async function fill(nodes: readonly Node[]): Promise<void> {
  for (const [i, key] of KEYS.entries()) {
    const { dht } = nodes[i % nodes.length] as Node;
    const request = { key, value: key, expiration: later() };
    const { stored } = await dht.store(request, { awaitAll: true });
    assert(stored);
  }
}

Deno.test(
  "over TCP, a node that knows one member finds the holders of every key, step by step",
  libp2p,
  async () => {
    const { nodes, replicasOf } = await sparse(16);
    const cold = await partial();
    try {
      await fill(nodes);
      await cold.know([nodes[5] as Node]);
      const strangers = new Set<string>();
      for (const key of KEYS) {
        const found = await cold.dht.get(key, {
          onCall: ({ peerId, outcome }) => {
            if (outcome === "answered") strangers.add(peerId);
          },
        });
        assertEquals(values(found), key);
      }
      strangers.delete((nodes[5] as Node).peerId);
      assert(strangers.size > 0, "only the one member was asked");
      const lookups = (outcome: string) =>
        cold.metrics.get("meshnode_dht_lookups_total", { outcome });
      assertEquals([lookups("found"), lookups("failed")], [KEYS.length, 0]);
      // What it stores is where all others look for it.
      const request = { key: "cold", value: 1, expiration: later() };
      const { replicas } = await cold.dht.store(request, { awaitAll: true });
      const right = replicasOf("cold").filter((peer) =>
        replicas.some(({ peerId, outcome }) =>
          peerId === peer && outcome === "stored"
        )
      );
      // It is one of the holders itself, perhaps.
      assert(right.length >= 4, `${right.length} of 5`);
      assertEquals(values(await (nodes[11] as Node).dht.get("cold")), 1);
    } finally {
      await Promise.all([...nodes, cold].map((node) => node.stop()));
    }
  },
);

Deno.test(
  "over TCP, a member that names peers who do not exist misleads nobody who knows another",
  libp2p,
  async () => {
    const { nodes } = await sparse(10);
    const cold = await partial();
    const liar = await caller();
    const ghosts = Array.from({ length: 20 }, () => ({
      peerId: generateIdentity().peerId,
      addresses: [NOWHERE],
    }));
    let lies = 0;
    liar.rpc.register(CLOSEST, () => {
      lies++;
      return Promise.resolve(encodeClosestPeers(ghosts));
    });
    await liar.host.start();
    try {
      await fill(nodes);
      const { peerId } = liar.identity;
      await cold.know([{ peerId, host: liar.host }, nodes[2] as Node]);
      for (const key of KEYS) {
        assertEquals(values(await cold.dht.get(key)), key);
      }
      assert(lies > 0, "the liar was not asked");
    } finally {
      await Promise.all([...nodes, cold, liar].map((node) => node.stop()));
    }
  },
);

Deno.test(
  "a node that came a moment ago and met one member reads what the mesh holds",
  libp2p,
  async () => {
    const first = await createNode();
    const bootstrap = first.addresses();
    const others = await Promise.all(
      Array.from({ length: 6 }, () => createNode({ bootstrap })),
    );
    const all = [first, ...others];
    try {
      await eventually(
        () => all.every((node) => node.members().length === 6),
        () => all.map((node) => node.members().length).join(),
      );
      for (const [i, key] of KEYS.entries()) {
        const node = all[i % all.length] as typeof first;
        await node.dht.store({ key, value: key, expiration: later() });
      }
      const fresh = await createNode({ bootstrap });
      all.push(fresh);
      await eventually(
        () => fresh.members().length > 0,
        () => fresh.status().network,
      );
      const found = await fresh.dht.getMany(KEYS);
      assertEquals(found.map(values), KEYS);
    } finally {
      await Promise.all(all.map((node) => node.stop()));
    }
  },
);
