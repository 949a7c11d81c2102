import {
  type Clock,
  createNode,
  generateIdentity,
  LocalChain,
  type MeshNode,
  MetricsRegistry,
  systemClock,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { withChainMesh } from "./chain_mesh.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

/** A machine's clock that is off by so many seconds, until it is set. */
class OffClock implements Clock {
  constructor(public seconds: number) {}
  now = () => systemClock.now() + 1_000 * this.seconds;
  sleep = systemClock.sleep;
}

const parts = (node: MeshNode | undefined) =>
  node?.status().unready.map(({ part }) => part).join();

Deno.test(
  "a node whose clock is off learns it from peers that refuse it, and is not ready",
  libp2p,
  async () => {
    for (const seconds of [-300, 20]) {
      const metrics = new MetricsRegistry();
      const nodes = [await createNode()];
      const bootstrap = nodes[0]?.addresses() ?? [];
      const clock = new OffClock(seconds);
      const off = await createNode({ bootstrap, clock, metrics });
      try {
        nodes.push(
          ...await Promise.all(
            [1, 2].map(() => createNode({ bootstrap })),
          ),
        );
        await eventually(
          () => off.status().clock.isOff,
          () => off.status().clock,
        );
        assertEquals(off.status().ready, false);
        assert(parts(off)?.includes("clock"), parts(off) ?? "");
        const offset = off.status().clock.offset ?? NaN;
        assert(Math.abs(offset + seconds) < 3, String(offset));
        assertEquals(metrics.get("meshnode_clock_off"), 1);
        // The others hear one wrong clock among right ones.
        for (const node of nodes) {
          assertEquals(node.status().clock.isOff, false);
        }
        clock.seconds = 0;
        await eventually(
          () => !off.status().clock.isOff,
          () => off.status().clock,
          30_000,
        );
      } finally {
        await Promise.all([off, ...nodes].map((node) => node.stop()));
      }
    }
  },
);

Deno.test(
  "while the chain is away nobody honest is cut off, strangers are refused, and it shows",
  libp2p,
  () =>
    withChainMesh(0, async ({ path, enlist }) => {
      const members = [generateIdentity(), generateIdentity()] as const;
      for (const identity of members) enlist(identity);
      const clock = new OffClock(0);
      const metrics = new MetricsRegistry();
      const away = LocalChain.open(path);
      const first = await createNode({
        ...{ identity: members[0], metrics, clock },
        chain: { chain: away },
      });
      const bootstrap = first.addresses();
      const second = await createNode({
        ...{ identity: members[1], bootstrap },
        chain: { chain: LocalChain.open(path) },
        freshness: { window: 1e6, skew: 1e6 },
        limits: { calls: "none" },
      });
      // Without a chain of its own it takes part wherever it is let in.
      const stranger = await createNode({ bootstrap });
      try {
        await eventually(
          () => first.status().ready && first.members().length === 1,
          () => JSON.stringify(first.status().unready),
        );
        assertEquals(first.status().stake, "fresh");
        const call = () =>
          second.rpc.call(first.peerId, "dht.ping", new Uint8Array());
        await call();
        away.faults.unreadable = true;
        // Ten minutes pass for the first node.
        await eventually(
          () => metrics.get("meshnode_stake_refresh_failures_total") > 0,
          () => "the chain can be read",
        );
        clock.seconds = 600;
        await eventually(() => parts(first) === "stake", () => parts(first));
        assertEquals(first.status().stake, "stale");
        await eventually(
          () => metrics.get("meshnode_stake_cache_age_seconds") >= 599,
          () => metrics.get("meshnode_stake_cache_age_seconds"),
        );
        assertEquals(first.members(), [second.peerId]);
        const labels = { direction: "inbound", reason: "stake-unknown" };
        await eventually(
          () => metrics.get("meshnode_network_refused_total", labels) > 0,
          () => JSON.stringify(metrics.samples()),
        );
        assertEquals(first.members(), [second.peerId]);
        away.faults.unreadable = false;
        await eventually(() => first.status().stake === "fresh", () => "");
      } finally {
        await Promise.all([first, second, stranger].map((node) => node.stop()));
      }
    }),
);

Deno.test(
  "a node without stake says that it is not ready",
  libp2p,
  () =>
    withChainMesh(0, async ({ path }) => {
      const node = await createNode({
        chain: { chain: LocalChain.open(path) },
      });
      try {
        await eventually(
          () => node.status().unready.some(({ part }) => part === "stake"),
          () => JSON.stringify(node.status().unready),
        );
        assertEquals(node.status().ready, false);
      } finally {
        await node.stop();
      }
    }),
);

Deno.test(
  "a part of a node that fails is counted and keeps it from being ready, not from its other work",
  libp2p,
  async () => {
    const metrics = new MetricsRegistry();
    // The first wait of who looks at the peers' clocks, and of nobody else.
    const sleep: Clock["sleep"] = (milliseconds, signal) => {
      if (milliseconds === 3_000) throw new Error("the clock has no alarm");
      return systemClock.sleep(milliseconds, signal);
    };
    const clock = { now: systemClock.now, sleep };
    const node = await createNode({ clock, metrics });
    try {
      await eventually(() => parts(node) === "work", () => String(parts(node)));
      assert(node.status().unready[0]?.reason.endsWith("again: clock."));
      assertEquals(metrics.sum("meshnode_node_failures_total"), 1);
      const part = { part: "clock" };
      assertEquals(metrics.get("meshnode_node_failures_total", part), 1);
      await node.dht.store({
        ...{ key: "greeting", value: "hello" },
        expiration: Date.now() / 1_000 + 60,
      });
      assert(await node.dht.get("greeting"));
    } finally {
      await node.stop();
    }
  },
);
