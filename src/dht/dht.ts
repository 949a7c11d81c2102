import { type Clock, dhtTime, systemClock } from "../core/clock.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";
import { dhtId } from "../records/dht_id.ts";
import { LocalStorage } from "../records/local_storage.ts";
import { type DhtRecord, NO_SUBKEY } from "../records/record.ts";
import { encode } from "../records/serializer.ts";
import type { MeshValue } from "../records/values.ts";
import { StoreError } from "./errors.ts";
import { Merge } from "./merge.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import type { DhtOptions } from "./options.ts";
import { PeerBook } from "./peer_book.ts";
import { Prober } from "./prober.ts";
import { Reader } from "./reader.ts";
import { ReplicaCalls } from "./replica_calls.ts";
import { MAX_LIFETIME, ReplicaService } from "./service.ts";
import type {
  CallOptions,
  Found,
  GetOptions,
  PutOptions,
  RecordStore,
  StoreRequest,
  StoreResult,
} from "./types.ts";
import { METHODS, WIRE_LIMITS } from "./wire.ts";
import { Writer } from "./writer.ts";

/** How long a stop waits for stores that are under way, ms. */
const STOP_GRACE = 3_000;

/** Signed, expiring records of many writers, kept by the nearest peers. */
export class Dht implements RecordStore {
  readonly #options: DhtOptions;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #service: ReplicaService;
  readonly #neighbourhood: Neighbourhood;
  readonly #replicas: ReplicaCalls;
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #prober: Prober;
  readonly #tasks = new Tasks();
  readonly #stopping = new AbortController();
  readonly #numReplicas: number;

  /** Registers its methods with the calls. */
  constructor(options: DhtOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#numReplicas = options.numReplicas ?? 5;
    const { peerId, calls } = options;
    const book = new PeerBook(options.timeout ?? 3_000);
    this.#neighbourhood = new Neighbourhood(peerId, options.members);
    this.#replicas = new ReplicaCalls(calls, book, this.#clock, this.#metrics);
    this.#service = new ReplicaService(
      options.storage ?? new LocalStorage(() => dhtTime(this.#clock)),
      peerId,
      options.validator,
      this.#clock,
      this.#metrics,
      options.maxLifetime ?? MAX_LIFETIME,
    );
    const parts = {
      peerId,
      service: this.#service,
      replicas: this.#replicas,
      book,
      tasks: this.#tasks,
      clock: this.#clock,
      numReplicas: this.#numReplicas,
      writeQuorum: options.writeQuorum,
    };
    this.#writer = new Writer(parts);
    this.#reader = new Reader(parts);
    this.#prober = new Prober(
      book,
      this.#replicas,
      () => this.#neighbourhood.peers(),
    );
    this.#serve();
  }

  /** Live records held by this peer. */
  get records(): number {
    return this.#service.records;
  }

  /** The peers that hold a key, nearest first, ourselves included. */
  replicasOf(key: MeshValue): string[] {
    return this.#neighbourhood.nearest(dhtId(key), this.#numReplicas);
  }

  /** Round-trip time to a peer in milliseconds, by a call and its answer. */
  async ping(peerId: string, options: CallOptions = {}): Promise<number> {
    const start = performance.now();
    await this.#replicas.ping(peerId, options);
    return performance.now() - start;
  }

  /**
   * Stores a record at its replicas and tells each one's answer. It returns
   * once the quorum has it; the other replicas are waited for in the background.
   *
   * @throws {StoreError} when fewer replicas take it than the quorum.
   */
  async store(
    request: StoreRequest,
    options: PutOptions = {},
  ): Promise<StoreResult> {
    const [result] = await this.storeMany([request], options);
    if (!result?.stored) throw new StoreError(result as StoreResult);
    return result;
  }

  /**
   * Stores records; those with the same replicas travel together. The results
   * say which of them have their quorum.
   *
   * @throws {EncodeError} when a key, subkey or value has no serialized form.
   */
  async storeMany(
    requests: readonly StoreRequest[],
    options: PutOptions = {},
  ): Promise<StoreResult[]> {
    const records = requests.map((request) => this.#record(request));
    const peers = records.map(({ key }) => this.#candidates(key));
    const results = await this.#writer.store(
      records,
      peers,
      options,
      this.#stopping.signal,
    );
    for (const { stored } of results) {
      this.#metrics.count("meshnode_dht_puts_total", {
        outcome: stored ? "stored" : "failed",
      });
    }
    return results;
  }

  /**
   * Finds what lives under a key: a plain value as soon as one valid copy is
   * there, a dictionary from so many replicas that nothing stored is missing.
   */
  async get(
    key: MeshValue,
    options: GetOptions = {},
  ): Promise<Found | undefined> {
    return (await this.getMany([key], options))[0];
  }

  /** Merges what all replicas hold under a key, and those that were replicas before others came. */
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
    const subkeys = options.subkeys?.map(encode);
    const reads = keys.map((each) => {
      const key = dhtId(each);
      return {
        query: { key, subkeys },
        peers: this.#candidates(key),
        merge: new Merge(
          this.#service,
          this.#options.validator,
          this.#metrics,
        ),
      };
    });
    await this.#reader.read(
      reads,
      options,
      this.#stopping.signal,
      () => {},
    );
    return reads.map(({ merge }) => merge.found());
  }

  /** Does what must be done in the background, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#prober.run(this.#clock, this.#tasks, signal);
  }

  /** Waits for what is under way, a few seconds at most, and ends it. */
  async stop(): Promise<void> {
    using limit = deadline(STOP_GRACE);
    await raceSignal(this.#tasks.settled(), limit.signal).catch(() => {});
    this.#stopping.abort(new MeshError("DHT_STOPPED", "The node stops."));
    await this.#tasks.settled();
  }

  #serve(): void {
    const service = this.#service;
    const { calls } = this.#options;
    calls.register(METHODS.ping, () => Promise.resolve(service.onPing()));
    // A malformed body rejects the call, as it should.
    calls.register(
      METHODS.store,
      async (body, { peerId }) => await service.onStore(body, peerId),
    );
    calls.register(METHODS.find, async (body) => await service.onFind(body));
  }

  /** Who may hold a key: its replicas, and as many stand-ins. */
  #candidates(key: Uint8Array): string[] {
    return this.#neighbourhood.nearest(key, 2 * this.#numReplicas);
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
}
