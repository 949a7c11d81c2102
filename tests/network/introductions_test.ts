import { noise } from "@chainsafe/libp2p-noise";
import type { Libp2p, Stream } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { MetricsRegistry } from "../../src/core/mod.ts";
import { generateIdentity } from "../../src/identity/mod.ts";
import { encodeGreeting } from "../../src/network/greeting.ts";
import { Host, type HostOptions } from "../../src/network/mod.ts";
import { assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };
const PROTOCOL = "/meshnode/1/introductions/1.0.0";

async function start(options: Partial<HostOptions> = {}): Promise<Host> {
  const host = await Host.create({
    subnetId: 1,
    listen: ["/ip4/127.0.0.1/tcp/0"],
    identity: generateIdentity(),
    ...options,
  });
  await host.start();
  return host;
}

/** A peer that speaks libp2p, and answers introductions as it likes. */
async function stranger(
  answer: (stream: Stream) => unknown = () => {},
): Promise<Libp2p> {
  const peer = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
  await peer.handle(PROTOCOL, (stream) => void answer(stream));
  return peer;
}

const addressOf = (peer: Libp2p) =>
  peer.getMultiaddrs().map((address) => address.toString());

Deno.test(
  "members know each other from one introduction, and a client is no member",
  libp2p,
  async () => {
    const [entry, other] = [await start(), await start({ subnetId: 2 })];
    const bootstrap = entry.addresses();
    const member = await start({ bootstrap });
    const client = await start({ bootstrap, client: true, listen: [] });
    try {
      await eventually(
        () =>
          client.members().length === 2 && member.members().length === 1 &&
          entry.connected().size === 2,
        () => [client, member, entry].map((each) => each.members()),
      );
      assertEquals(member.members(), [entry.peerId]);
      assertEquals(entry.members(), [member.peerId]);
      assertEquals(other.members(), []);
    } finally {
      await Promise.all(
        [client, member, entry, other].map((host) => host.stop()),
      );
    }
  },
);

Deno.test(
  "a node of another subnet is no member, however it is met",
  libp2p,
  async () => {
    const entry = await start();
    const stray = await start({ subnetId: 2, bootstrap: entry.addresses() });
    try {
      await eventually(() => stray.connected().size === 1, () => "never met");
      const member = await start({ bootstrap: entry.addresses() });
      await eventually(() => entry.members().length === 1, () => "no member");
      assertEquals(entry.members(), [member.peerId]);
      assertEquals(stray.members(), []);
      await member.stop();
    } finally {
      await Promise.all([entry, stray].map((host) => host.stop()));
    }
  },
);

Deno.test(
  "a greeting that is none ends its stream and nothing else",
  libp2p,
  async () => {
    const host = await start();
    const peer = await stranger();
    const [address = ""] = host.addresses();
    const greeting = encodeGreeting({
      introduces: true,
      member: true,
      asks: false,
      addresses: [],
    });
    try {
      const connection = await peer.dial(multiaddr(address));
      for (const bytes of [[0xff], [1, 200], [...greeting, 0], [1, 1, 255]]) {
        const stream = await connection.newStream(PROTOCOL);
        const closed = new Promise((resolve) =>
          stream.addEventListener("close", resolve, { once: true })
        );
        stream.send(Uint8Array.from(bytes));
        if (bytes.length === 3) stream.abort(new Error("gone"));
        await closed;
      }
      assertEquals(connection.status, "open");
      assertEquals(host.members(), []);
      const friend = await start({ bootstrap: host.addresses() });
      await eventually(() => host.members().length === 1, () => "no member");
      await friend.stop();
    } finally {
      await Promise.all([peer.stop(), host.stop()]);
    }
  },
);

for (
  const [what, answer] of [
    ["hangs up", (stream: Stream) => stream.close()],
    ["answers with nonsense", (stream: Stream) => {
      stream.send(Uint8Array.of(0xff));
      return stream.close();
    }],
    ["answers without end", (stream: Stream) => {
      const more = () => {
        if (stream.writeStatus !== "writable") return;
        stream.send(new Uint8Array(64 * 1024));
        setTimeout(more);
      };
      more();
    }],
  ] as const
) {
  Deno.test(
    `an entry point that ${what} when it is met is left, counted and tried again`,
    libp2p,
    async () => {
      const metrics = new MetricsRegistry();
      let met = 0;
      const peer = await stranger((stream) => {
        met++;
        return answer(stream);
      });
      const host = await start({ metrics, bootstrap: addressOf(peer) });
      try {
        await eventually(() => met >= 2, () => `met ${met} times`);
        assertEquals(host.members(), []);
        const failed = () =>
          metrics.get("meshnode_network_introductions_failed_total") ?? 0;
        await eventually(() => failed() >= 2, failed);
      } finally {
        await Promise.all([host.stop(), peer.stop()]);
      }
    },
  );
}
