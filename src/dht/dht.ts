import { type Clock, dhtTime, systemClock } from "../core/clock.ts";
import { MeshError } from "../core/errors.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { dhtId } from "../records/dht_id.ts";
import { LocalStorage } from "../records/local_storage.ts";
import { type DhtRecord, NO_SUBKEY } from "../records/record.ts";
import { encode } from "../records/serializer.ts";
import type { MeshValue } from "../records/values.ts";
import type { RecordValidator } from "../validation/validator.ts";
import { chunks, storeBatches } from "./batches.ts";
import { Merge } from "./merge.ts";
import { Replicas } from "./replicas.ts";
import { MAX_LIFETIME, ReplicaService } from "./service.ts";
import type {
  CallOptions,
  Found,
  GetOptions,
  RecordStore,
  ReplicaAnswer,
  StoreRequest,
  StoreResult,
} from "./types.ts";
import {
  decodeFound,
  decodePong,
  decodeStoreAnswers,
  encodeFind,
  encodeStore,
  type FindQuery,
  METHODS,
  WIRE_LIMITS,
} from "./wire.ts";

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
  /** Answers what peers ask. */
  register(
    method: string,
    handler: (
      body: Uint8Array,
      caller: { readonly peerId: string },
    ) => Promise<Uint8Array>,
  ): () => void;
}

/** Options of {@linkcode Dht}. */
export interface DhtOptions {
  /** Our own peer id, base58. */
  readonly peerId: string;
  /** Calls to other nodes. */
  readonly calls: Calls;
  /** The peers that replicas are chosen from, ourselves not included. */
  readonly members: () => Iterable<string>;
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
  /** How long a peer may take to answer, ms; 3000 as in the Mesh Template. */
  readonly timeout?: number;
  /** Longest life of a record, seconds; 7 days by default. */
  readonly maxLifetime?: number;
}

/** Signed, expiring records of many writers, kept by the nearest peers. */
export class Dht implements RecordStore {
  readonly #options: DhtOptions;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #service: ReplicaService;
  readonly #replicas = new Replicas();
  readonly #numReplicas: number;
  readonly #timeout: number;
  readonly #log = loggerOf("dht");

  /** Registers its methods with the calls. */
  constructor(options: DhtOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#numReplicas = options.numReplicas ?? 5;
    this.#timeout = options.timeout ?? 3_000;
    const service = new ReplicaService(
      options.storage ?? new LocalStorage(() => dhtTime(this.#clock)),
      options.peerId,
      options.validator,
      this.#clock,
      this.#metrics,
      options.maxLifetime ?? MAX_LIFETIME,
    );
    this.#service = service;
    const { calls } = options;
    calls.register(METHODS.ping, () => Promise.resolve(service.onPing()));
    // A malformed body rejects the call, as it should.
    calls.register(
      METHODS.store,
      async (body, { peerId }) => await service.onStore(body, peerId),
    );
    calls.register(METHODS.find, async (body) => await service.onFind(body));
  }

  /** Live records held by this peer. */
  get records(): number {
    return this.#service.records;
  }

  /** The peers that hold a key, nearest first, ourselves included. */
  replicasOf(key: MeshValue): string[] {
    return this.#nearest(dhtId(key), this.#numReplicas);
  }

  /** Round-trip time to a peer in milliseconds, by a call and its answer. */
  async ping(peerId: string, options: CallOptions = {}): Promise<number> {
    const start = performance.now();
    decodePong(
      await this.#call(peerId, METHODS.ping, new Uint8Array(), options),
    );
    return performance.now() - start;
  }

  /** Stores a record at its replicas and tells each one's answer. */
  async store(
    request: StoreRequest,
    options: CallOptions = {},
  ): Promise<StoreResult> {
    const [result] = await this.storeMany([request], options);
    return result as StoreResult;
  }

  /**
   * Stores records; those with the same replicas travel together.
   *
   * @throws {EncodeError} when a key, subkey or value has no serialized form.
   */
  async storeMany(
    requests: readonly StoreRequest[],
    options: CallOptions = {},
  ): Promise<StoreResult[]> {
    const records = requests.map((request) => this.#record(request));
    const answers = records.map(() => new Map<string, ReplicaAnswer>());
    const untried = records.map(({ key }) =>
      this.#nearest(key, 2 * this.#numReplicas)
    );
    for (;;) {
      // Replicas that cannot be reached are replaced by the next nearest.
      const batches = new Map<string, number[]>();
      untried.forEach((peers, i) => {
        const reached = [...answers[i]?.values() ?? []]
          .filter(({ outcome }) => outcome !== "unreachable").length;
        for (const peer of peers.splice(0, this.#numReplicas - reached)) {
          batches.set(peer, [...batches.get(peer) ?? [], i]);
        }
      });
      if (batches.size === 0) break;
      await Promise.all([...batches].map(async ([peerId, indices]) => {
        const batch = indices.map((i) => records[i] as DhtRecord);
        const outcomes = await this.#storeAt(peerId, batch, options);
        indices.forEach((i, at) =>
          answers[i]?.set(peerId, {
            peerId,
            outcome: outcomes[at] ?? "unreachable",
          })
        );
      }));
      options.signal?.throwIfAborted();
    }
    return answers.map((each) => {
      const replicas = [...each.values()];
      return {
        stored: replicas.some(({ outcome }) => outcome === "stored"),
        replicas,
      };
    });
  }

  /** Merges what all replicas hold under a key, the newest of each subkey. */
  async get(
    key: MeshValue,
    options: GetOptions = {},
  ): Promise<Found | undefined> {
    return (await this.getMany([key], options))[0];
  }

  /** Like {@linkcode Dht.get}, asking also the peers that were replicas before others came. */
  latest(
    key: MeshValue,
    options: CallOptions = {},
  ): Promise<Found | undefined> {
    return this.get(key, { ...options, latest: true });
  }

  /** Finds what lives under many keys; keys with the same replicas are asked for together. */
  async getMany(
    keys: readonly MeshValue[],
    options: GetOptions = {},
  ): Promise<(Found | undefined)[]> {
    const places = keys.map(dhtId);
    const merged = places.map(() =>
      new Merge(this.#service, this.#options.validator, this.#metrics)
    );
    const batches = new Map<string, number[]>();
    const count = this.#numReplicas * (options.latest ? 2 : 1);
    const subkeys = options.subkeys?.map(encode);
    places.forEach((key, i) => {
      for (const peer of this.#nearest(key, count)) {
        batches.set(peer, [...batches.get(peer) ?? [], i]);
      }
    });
    await Promise.all(
      [...batches].flatMap(([peerId, indices]) =>
        chunks(indices, WIRE_LIMITS.keys).map(async (part) => {
          const queries = part.map((i) => ({
            key: places[i] as Uint8Array,
            subkeys,
          }));
          const found = await this.#findAt(peerId, queries, options);
          part.forEach((i, at) => {
            for (const record of found[at] ?? []) {
              merged[i]?.add(record);
            }
          });
        })
      ),
    );
    options.signal?.throwIfAborted();
    return merged.map((merge) => merge.found());
  }

  #record(request: StoreRequest): DhtRecord {
    const record = {
      key: dhtId(request.key),
      subkey: request.subkey === undefined ? NO_SUBKEY : encode(request.subkey),
      value: encode(request.value),
      expiration: request.expiration,
    };
    const value = this.#options.validator.signValue(record);
    if (
      value.length > WIRE_LIMITS.valueBytes ||
      record.subkey.length > WIRE_LIMITS.subkeyBytes
    ) {
      throw new MeshError(
        "RECORD_TOO_LARGE",
        `A value of ${value.length} bytes under a subkey of ` +
          `${record.subkey.length} bytes is too large.`,
        {
          hint: `The most are ${WIRE_LIMITS.valueBytes} and ` +
            `${WIRE_LIMITS.subkeyBytes} bytes; split the value.`,
        },
      );
    }
    return { ...record, value };
  }

  #nearest(key: Uint8Array, count: number): string[] {
    const peers = [...this.#options.members(), this.#options.peerId];
    return this.#replicas.nearest(key, peers, count);
  }

  async #storeAt(
    peerId: string,
    records: readonly DhtRecord[],
    options: CallOptions,
  ): Promise<ReplicaAnswer["outcome"][]> {
    if (peerId === this.#options.peerId) {
      return await Promise.all(
        records.map((record) => this.#service.store(record)),
      );
    }
    const parts = await Promise.all(
      storeBatches(records).map(async (batch) => {
        try {
          return decodeStoreAnswers(
            await this.#call(
              peerId,
              METHODS.store,
              encodeStore(batch),
              options,
            ),
            batch.length,
          );
        } catch (error) {
          this.#failed(peerId, METHODS.store, error);
          return batch.map(() => "unreachable" as const);
        }
      }),
    );
    return parts.flat();
  }

  async #findAt(
    peerId: string,
    queries: readonly FindQuery[],
    options: CallOptions,
  ): Promise<DhtRecord[][]> {
    if (peerId === this.#options.peerId) {
      return queries.map((query) => this.#service.find(query));
    }
    try {
      return decodeFound(
        await this.#call(peerId, METHODS.find, encodeFind(queries), options),
        queries,
      );
    } catch (error) {
      this.#failed(peerId, METHODS.find, error);
      return [];
    }
  }

  #call(
    peerId: string,
    method: string,
    body: Uint8Array,
    { signal }: CallOptions,
  ): Promise<Uint8Array> {
    return this.#options.calls.call(peerId, method, body, {
      timeout: this.#timeout,
      signal,
    });
  }

  #failed(peerId: string, method: string, error: unknown): void {
    const code = error instanceof MeshError ? error.code : "ERROR";
    this.#metrics.count("meshnode_dht_failed_calls_total", { method, code });
    this.#log.debug("{method} at {peerId} failed: {error}", {
      method,
      peerId,
      error,
    });
  }
}
