import { privateKeyFromProtobuf } from "@libp2p/crypto/keys";
import { type KadDHT, kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import type { Libp2pOptions } from "libp2p";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Identity } from "../identity/identity.ts";
import type { AddressBook } from "./address_book.ts";
import { type Admission, connectionGater } from "./gater.ts";
import type { InboundQuotas } from "./inbound_limits.ts";
import { Introductions } from "./introductions.ts";
import { tcpOfJoinedWrites } from "./joined_writes.ts";
import { quietNoise } from "./quiet_noise.ts";
import { quietYamux } from "./quiet_yamux.ts";
import { Reachability } from "./reachability.ts";
import { SILENT_LOGGER } from "./silent_logger.ts";
import { MOST_STREAMS } from "./stream_limits.ts";

/** Options of {@linkcode Host}. */
export interface HostOptions {
  /** The peer's key. */
  readonly identity: Identity;
  /** The subnet: peers of other subnets are not found. */
  readonly subnetId: number;
  /** Multiaddrs to listen on; port 0 takes any free one. */
  readonly listen: readonly string[];
  /** Multiaddrs told to others instead of the ones listened on. */
  readonly announce?: readonly string[];
  /** Multiaddrs with `/p2p/…` through which the mesh is entered. */
  readonly bootstrap?: readonly string[];
  /** Multiaddrs with `/p2p/…` of peers that were members once: called, too, and never insisted on. */
  readonly acquaintances?: readonly string[];
  /** Whose connections are allowed; everybody's by default. */
  readonly admission?: Admission;
  /** What one address may do before its peers are known. */
  readonly quotas?: InboundQuotas;
  /** Most members in one /24 of IPv4 or /64 of IPv6, this machine excepted; 32 by default. */
  readonly perNetwork?: number;
  /** Uses the mesh and is no member of it: others never choose it to hold records. */
  readonly client?: boolean;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** What libp2p runs for us. */
export type Services = {
  introductions: Introductions;
  ping: Reachability;
  dht: KadDHT;
};

/** Whether the node is in the mesh, as the gater must know before there is a host. */
export interface Presence {
  away: boolean;
}

/** How libp2p is set up for a host. */
export function libp2pOptions(
  host: HostOptions,
  presence: Presence,
  addressBook: AddressBook,
  metrics: Metrics,
): Libp2pOptions<Services> {
  const protocol = `/meshnode/${host.subnetId}/kad/1.0.0`;
  return {
    start: false,
    privateKey: privateKeyFromProtobuf(host.identity.marshalled),
    logger: SILENT_LOGGER,
    nodeInfo: { name: "meshnode", userAgent: "meshnode" },
    addresses: {
      listen: [...host.listen],
      announce: [...host.announce ?? []],
    },
    transports: [tcpOfJoinedWrites()],
    connectionEncrypters: [quietNoise()],
    streamMuxers: [
      // The pulse does what its keep-alive does, and ends what is silent.
      quietYamux({ maxInboundStreams: MOST_STREAMS, enableKeepAlive: false }),
    ],
    connectionGater: connectionGater({
      admission: host.admission,
      isAway: () => presence.away,
      quotas: host.quotas,
      clock: host.clock ?? systemClock,
      metrics,
    }),
    // Every limit is stated: the defaults are for the public network, where a
    // small mesh on one machine looks like an attack (5 connections a second
    // from one address) and lost peers are given up.
    connectionManager: {
      maxConnections: 1024,
      maxParallelDials: 32,
      maxDialQueueLength: 1024,
      maxPeerAddrsToDial: 8,
      dialTimeout: 5_000,
      addressDialTimeout: 4_000,
      connectionCloseTimeout: 500,
      inboundUpgradeTimeout: 5_000,
      inboundStreamProtocolNegotiationTimeout: 5_000,
      outboundStreamProtocolNegotiationTimeout: 5_000,
      // One address is limited by the gater, which says so.
      inboundConnectionThreshold: 65_536,
      maxIncomingPendingConnections: 1_024,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    services: {
      introductions: (components) =>
        new Introductions(components, {
          protocol: `/meshnode/${host.subnetId}/introductions/1.0.0`,
          addressBook,
          member: !(host.client ?? false),
          metrics,
        }),
      ping: ({ connectionManager }) =>
        new Reachability(connectionManager, addressBook),
      dht: kadDHT({
        protocol,
        clientMode: host.client ?? false,
        kBucketSize: 20,
        prefixLength: 6,
        alpha: 3,
        disjointPaths: 2,
        allowQueryWithZeroPeers: true,
        // The membership asks when there is reason to; the library's own
        // periodic queries cost more than all other idle work.
        initialQuerySelfInterval: 3_600_000,
        querySelfInterval: 3_600_000,
        peerInfoMapper: passthroughMapper,
        incomingMessageTimeout: 5_000,
      }),
    },
  };
}
