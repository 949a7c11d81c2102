import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import type { LocalStorage } from "../records/local_storage.ts";
import type { RecordValidator } from "../validation/validator.ts";
import type { KnownPeer } from "../network/peer_list.ts";
import type { CacheOptions } from "./read_cache.ts";

/** Calls between nodes, as the DHT needs them. */
export interface Calls {
  /** Asks a peer; fails when it does not answer in `timeout` milliseconds. */
  call(
    peerId: string,
    method: string,
    body: Uint8Array,
    options: {
      readonly timeout: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<Uint8Array>;
  /** Answers what peers ask. Returns what ends the serving. */
  register(
    method: string,
    handler: (
      body: Uint8Array,
      caller: { readonly peerId: string },
    ) => Promise<Uint8Array>,
  ): () => void;
}

/** Streams of answers between nodes, as watches need them. */
export interface Streams {
  /** Asks a peer for a stream; leaving the loop ends it on both sides. */
  stream(
    peerId: string,
    method: string,
    body: Uint8Array,
    options: {
      readonly timeout: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): AsyncIterable<Uint8Array>;
  /** Serves a stream. Returns what ends the serving. */
  registerStream(
    method: string,
    handler: (
      body: Uint8Array,
      caller: { readonly peerId: string; readonly signal: AbortSignal },
    ) => AsyncIterable<Uint8Array>,
  ): () => void;
}

/** Knows where peers can be reached. */
export interface AddressBook {
  /** Where a peer can be reached, as far as that is known. */
  known(peerId: string): KnownPeer;
  /** Notes where peers can be reached. */
  learn(peers: readonly KnownPeer[]): unknown;
}

/** Options of {@linkcode Dht}. */
export interface DhtOptions {
  /** Our own peer id, base58. */
  readonly peerId: string;
  /** Calls to other nodes. */
  readonly calls: Calls;
  /** Streams between nodes; without them nothing is watched but our own replica. */
  readonly streams?: Streams;
  /** Stores and reads at others and holds nothing: never a replica. */
  readonly client?: boolean;
  /**
   * The peers that replicas are chosen from, ourselves not included. The same
   * array says that nothing changed; one that was handed out stays as it is.
   */
  readonly members: () => Iterable<string>;
  /**
   * Whether the members are all peers that there are; they are by default. If
   * not, the holders of a key are looked up step by step.
   */
  readonly isComplete?: () => boolean;
  /** Where peers can be reached, for lookups that lead to peers we do not know. */
  readonly addresses?: AddressBook;
  /** The rules for records; signs our own. */
  readonly validator: RecordValidator;
  /** The records that this peer holds; in memory by default. Whoever hands it in closes it. */
  readonly storage?: LocalStorage;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
  /** How many peers hold a record; 5 as in the Mesh Template. */
  readonly numReplicas?: number;
  /**
   * How many replicas must take a record for a store to succeed; by default
   * the majority of the replicas, or of the peers when there are fewer.
   */
  readonly writeQuorum?: number;
  /**
   * Keep what was found under keys that are read again and again for a few
   * seconds; nothing is kept by default. A read of the latest asks all the same.
   */
  readonly cache?: CacheOptions;
  /** The longest a peer may take to answer, ms; 3000 as in the Mesh Template. */
  readonly timeout?: number;
  /** Longest life of a record, seconds; 7 days by default. */
  readonly maxLifetime?: number;
}
