import type { Libp2p, PeerId } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { type Clock, systemClock } from "../core/clock.ts";
import { raceSignal } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { AddressBook } from "./address_book.ts";
import { parseAddress, parsePeerAddress, parsePeerId } from "./addresses.ts";
import type { Duplex, Transport } from "./duplex.ts";
import { NetworkError } from "./errors.ts";
import {
  type HostOptions,
  libp2pOptions,
  type Presence,
  type Services,
} from "./host_options.ts";
import { Libp2pDuplex } from "./libp2p_duplex.ts";
import { networkOf, originOf } from "./origin.ts";
import type { KnownPeer } from "./peer_list.ts";
import { Pulse } from "./pulse.ts";
import { RoutingTable } from "./routing_table.ts";
import { limitStreams } from "./stream_limits.ts";
import {
  Membership,
  type MembershipHost,
  type MembershipState,
} from "./membership.ts";

const STOP_TIMEOUT = 3_000;

/** How long it may take to close a peer's connections, or all of them, ms. */
const DROP_TIMEOUT = 1_000;
const LEAVE_TIMEOUT = 1_000;

/** The libp2p host of a node: connections, peers of the subnet, streams. */
export class Host {
  readonly #libp2p: Libp2p<Services>;
  readonly #presence: Presence;
  readonly #membership: Membership;
  readonly #pulse: Pulse;
  readonly #table: RoutingTable;
  readonly #addressBook: AddressBook;
  /** Kept by events: libp2p makes its own list anew, text by text, for whoever asks. */
  readonly #connected = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #acquaintances: readonly string[];
  #running: Promise<unknown> | undefined;
  /** Our peer id, base58. */
  readonly peerId: string;

  private constructor(
    libp2p: Libp2p<Services>,
    host: HostOptions,
    presence: Presence,
    addressBook: AddressBook,
    metrics: Metrics,
  ) {
    this.#libp2p = libp2p;
    this.#addressBook = addressBook;
    this.#presence = presence;
    this.#clock = host.clock ?? systemClock;
    this.#metrics = metrics;
    this.#acquaintances = host.acquaintances ?? [];
    this.peerId = host.identity.peerId;
    const entries = (host.bootstrap ?? []).map(parsePeerAddress)
      .filter(({ peerId }) => peerId !== this.peerId);
    this.#pulse = new Pulse(
      () => libp2p.getConnections(),
      this.#clock,
      metrics,
    );
    this.#membership = new Membership(this.#membershipHost(), {
      peerId: this.peerId,
      client: host.client,
      entries,
      clock: this.#clock,
      metrics,
      ...(host.perNetwork === undefined ? {} : { perNetwork: host.perNetwork }),
    });
    this.#table = new RoutingTable({
      ...{ dht: libp2p.services.dht, peerStore: libp2p.peerStore },
      ...{ addressBook, clock: this.#clock },
    });
    libp2p.services.introductions.acquaintances = {
      members: () => this.members(),
      wantsPeers: () => this.#membership.wantsPeers,
      met: (peer) => {
        const peerId = peer.toString();
        this.#membership.joined(peerId, this.#networkOf(peer));
        this.#table.add(peer);
      },
      heard: (peers) => this.#membership.heard(this.#learn(peers)),
    };
  }

  /**
   * Makes a host that does nothing until {@linkcode Host.start}.
   *
   * @throws {NetworkError} `ADDRESS_INVALID` for a bad address.
   */
  static async create(host: HostOptions): Promise<Host> {
    const addresses = [...host.listen, ...host.announce ?? []];
    addresses.forEach(parseAddress);
    host.bootstrap?.forEach(parsePeerAddress);
    const metrics = host.metrics ?? new MetricsRegistry();
    const presence: Presence = { away: false };
    const addressBook = new AddressBook();
    const libp2p = await createLibp2p(
      libp2pOptions(host, presence, addressBook, metrics),
    );
    return new Host(libp2p, host, presence, addressBook, metrics);
  }

  /**
   * Listens, and enters the mesh in the background.
   *
   * @throws {NetworkError} `CANNOT_LISTEN`.
   */
  async start(): Promise<void> {
    this.#libp2p.addEventListener(
      "peer:connect",
      ({ detail }) => {
        this.#connected.add(detail.toString());
        this.#membership.returned(detail.toString());
      },
    );
    this.#libp2p.addEventListener(
      "connection:open",
      ({ detail }) => {
        // One that was under way when the node left.
        if (this.#presence.away) detail.abort(new Error("The node left."));
        else limitStreams(detail, this.#clock, this.#metrics);
      },
    );
    this.#libp2p.addEventListener(
      "peer:disconnect",
      ({ detail }) => {
        this.#connected.delete(detail.toString());
        this.#membership.lost(detail.toString());
      },
    );
    try {
      await this.#libp2p.start();
    } catch (cause) {
      throw new NetworkError(
        "CANNOT_LISTEN",
        `Cannot listen: ${cause instanceof Error ? cause.message : cause}`,
        { cause, hint: "Choose another port, or 0 for any free one." },
      );
    }
    const { signal } = this.#stopping;
    this.#membership.expect(this.#addressBook.note(this.#acquaintances));
    this.#running = Promise.all([
      this.#membership.run(signal),
      this.#pulse.run(signal),
      this.#table.run(signal),
    ]);
  }

  /** Our addresses, each with `/p2p/` and our peer id. */
  addresses(): string[] {
    return this.#libp2p.getMultiaddrs().map((address) => address.toString());
  }

  /** Multiaddrs of members, each with `/p2p/…`: to be their acquaintance after a restart. */
  memberAddresses(): string[] {
    return this.#addressBook.texts(this.members());
  }

  /** Peers with an open connection. */
  connected(): ReadonlySet<string> {
    return this.#connected;
  }

  /** Peers of our subnet with an open connection: what replicas are chosen from. */
  members(): readonly string[] {
    return this.#membership.present();
  }

  /** Whether every node of the subnet that could be connected to is. */
  get isComplete(): boolean {
    return this.#membership.isComplete;
  }

  /** Where peers can be reached. */
  get addressBook(): {
    known(peerId: string): KnownPeer;
    learn(peers: readonly KnownPeer[]): readonly string[];
  } {
    return this.#addressBook;
  }

  /** Where the node stands in the mesh. */
  get state(): MembershipState {
    return this.#membership.state;
  }

  /** Connects to a peer whose address is known. */
  async connect(peerId: string, signal?: AbortSignal): Promise<void> {
    await this.#libp2p.dial(this.#target(peerId), signal ? { signal } : {});
  }

  /** Closes all connections to a peer and forgets it; it may join anew. */
  async drop(peerId: string): Promise<void> {
    this.#membership.forget(peerId);
    const id = parsePeerId(peerId);
    const signal = AbortSignal.timeout(DROP_TIMEOUT);
    await this.#libp2p.hangUp(id, { signal }).catch(() => {});
    await this.#table.remove(id, signal);
  }

  /**
   * Leaves the mesh until {@linkcode Host.enter}: closes all connections, lets
   * nobody in and calls nobody.
   */
  async leave(): Promise<void> {
    this.#presence.away = true;
    this.#membership.rest();
    const signal = AbortSignal.timeout(LEAVE_TIMEOUT);
    await Promise.all(
      this.#libp2p.getConnections().map((connection) =>
        connection.close({ signal }).catch((error) => connection.abort(error))
      ),
    );
  }

  /** Enters the mesh again, through those who were there. */
  enter(): void {
    this.#presence.away = false;
    this.#membership.wake();
  }

  /** Streams of one protocol, for {@linkcode Transport.accept} before the start. */
  async transport(protocol: string): Promise<Transport> {
    let handler: ((stream: Duplex) => void) | undefined;
    await this.#libp2p.handle(protocol, (stream, connection) => {
      const { group, loopback } = originOf(connection.remoteAddr);
      const duplex = new Libp2pDuplex(
        stream,
        connection.remotePeer.toString(),
        loopback ? undefined : group,
      );
      if (handler === undefined) duplex.abort(new Error("not accepting"));
      else handler(duplex);
    }, { maxInboundStreams: 8, maxOutboundStreams: 8 });
    return {
      peerId: this.peerId,
      accept: (set) => {
        handler = set;
      },
      open: async (peerId, signal) => {
        try {
          const stream = await this.#libp2p.dialProtocol(
            this.#target(peerId),
            protocol,
            signal ? { signal } : {},
          );
          return new Libp2pDuplex(stream, peerId);
        } catch (cause) {
          if (cause instanceof MeshError) throw cause;
          signal?.throwIfAborted();
          throw new NetworkError(
            "PEER_UNREACHABLE",
            `Peer ${peerId} cannot be reached: ${
              cause instanceof Error ? cause.message : cause
            }`,
            { cause },
          );
        }
      },
    };
  }

  /** Closes everything, within a few seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const limit = AbortSignal.timeout(STOP_TIMEOUT);
    await raceSignal(Promise.resolve(this.#libp2p.stop()), limit).catch(
      () => {},
    );
  }

  #membershipHost(): MembershipHost {
    return {
      connected: () => this.connected(),
      connect: (peerId, signal) => this.connect(peerId, signal),
      connectAddress: async (address, signal) => {
        await this.#libp2p.dial(parseAddress(address), { signal });
      },
      discover: async (member, signal) =>
        this.#learn(
          await this.#libp2p.services.introductions.ask(member, signal),
        ),
    };
  }

  /** Through its connection, or else its addresses. */
  #target(peerId: string): PeerId | Multiaddr[] {
    const id = parsePeerId(peerId);
    return this.#connected.has(peerId) ? id : this.#addressBook.targets(peerId);
  }

  /** Notes where those are that are not connected, and gives all who may be news. */
  #learn(peers: readonly KnownPeer[]): readonly string[] {
    const isConnected = ({ peerId }: KnownPeer) => this.#connected.has(peerId);
    const learnt = this.#addressBook.learn(
      peers.filter((peer) =>
        peer.peerId !== this.peerId && !isConnected(peer) &&
        !this.#membership.expects(peer.peerId)
      ),
    );
    return [...learnt, ...peers.filter(isConnected).map((each) => each.peerId)];
  }

  /** The part of the network that a peer is in; none on this machine. */
  #networkOf(peer: PeerId): string | undefined {
    const [connection] = this.#libp2p.getConnections(peer);
    if (connection === undefined) return undefined;
    const { group, loopback } = originOf(connection.remoteAddr);
    return loopback ? undefined : networkOf(group);
  }
}
