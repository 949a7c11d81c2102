import { noise } from "@chainsafe/libp2p-noise";
import { type KadDHT, kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { generateIdentity } from "../../src/identity/mod.ts";
import { AddressBook } from "../../src/network/address_book.ts";
import { Introductions } from "../../src/network/introductions.ts";
import { Host } from "../../src/network/mod.ts";
import { Reachability } from "../../src/network/reachability.ts";
import { systemClock } from "../../src/core/clock.ts";
import { MetricsRegistry } from "../../src/core/metrics.ts";
import { RoutingTable } from "../../src/network/routing_table.ts";
import { assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

async function start(bootstrap: string[] = []): Promise<Host> {
  const host = await Host.create({
    subnetId: 1,
    listen: ["/ip4/127.0.0.1/tcp/0"],
    identity: generateIdentity(),
    bootstrap,
  });
  await host.start();
  return host;
}

/** A peer that knows kad-dht's protocol, and nothing of introductions. */
async function kadPeer() {
  const addressBook = new AddressBook();
  return await createLibp2p<
    { introductions: Introductions; ping: Reachability; dht: KadDHT }
  >({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    services: {
      introductions: (components) =>
        new Introductions(components, {
          protocol: "/another/1.0.0",
          addressBook,
          member: false,
          metrics: new MetricsRegistry(),
        }),
      ping: ({ connectionManager }) =>
        new Reachability(connectionManager, addressBook),
      dht: kadDHT({
        protocol: "/meshnode/1/kad/1.0.0",
        clientMode: true,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
      }),
    },
  });
}

Deno.test(
  "a peer that asks by kad-dht's own protocol hears of all members",
  libp2p,
  async () => {
    const entry = await start();
    const others = await Promise.all(
      [1, 2, 3].map(() => start(entry.addresses())),
    );
    const peer = await kadPeer();
    const end = new AbortController();
    const table = new RoutingTable({
      dht: peer.services.dht,
      peerStore: peer.peerStore,
      addressBook: new AddressBook(),
      clock: systemClock,
    });
    const running = table.run(end.signal);
    try {
      const [address = ""] = entry.addresses();
      const { remotePeer } = await peer.dial(multiaddr(address));
      table.add(remotePeer);
      const heard = new Set<string>();
      const known = () => others.every(({ peerId }) => heard.has(peerId));
      await eventually(async () => {
        const signal = AbortSignal.timeout(5_000);
        const key = new Uint8Array(32);
        const events = peer.services.dht.getClosestPeers(key, { signal });
        for await (const event of events) {
          if (event.name !== "PEER_RESPONSE") continue;
          for (const { id } of event.closer) heard.add(id.toString());
        }
        return known();
      }, () => [...heard]);
      assertEquals(known(), true);
    } finally {
      end.abort();
      await running;
      await Promise.all([entry, ...others].map((host) => host.stop()));
      await peer.stop();
    }
  },
);
