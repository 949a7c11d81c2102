import { deadline, raceSignal } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { Tasks } from "../core/tasks.ts";
import { dhtId } from "../records/dht_id.ts";
import { type DhtRecord, NO_SUBKEY } from "../records/record.ts";
import { encode } from "../records/serializer.ts";
import type { MeshValue } from "../records/values.ts";
import { assemble, type Assembly } from "./assembly.ts";
import { StoreError } from "./errors.ts";
import { Merge } from "./merge.ts";
import type { DhtOptions } from "./options.ts";
import type {
  CallOptions,
  Found,
  GetOptions,
  PutOptions,
  RecordStore,
  StoreRequest,
  StoreResult,
} from "./types.ts";
import { WIRE_LIMITS } from "./wire.ts";

/** How long a stop waits for stores that are under way, ms. */
const STOP_GRACE = 3_000;

/** Signed, expiring records of many writers, kept by the nearest peers. */
export class Dht implements RecordStore {
  readonly #options: DhtOptions;
  readonly #parts: Assembly;
  readonly #tasks = new Tasks();
  readonly #stopping = new AbortController();

  /** Registers its methods with the calls. */
  constructor(options: DhtOptions) {
    this.#options = options;
    this.#parts = assemble(options, this.#tasks);
  }

  /** Live records held by this peer. */
  get records(): number {
    return this.#parts.service.records;
  }

  /** The peers that hold a key, nearest first, ourselves included. */
  replicasOf(key: MeshValue): string[] {
    return this.#nearest(dhtId(key), 1);
  }

  /** Round-trip time to a peer in milliseconds, by a call and its answer. */
  async ping(peerId: string, options: CallOptions = {}): Promise<number> {
    const start = performance.now();
    await this.#parts.replicas.ping(peerId, options);
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
    const results = await this.#parts.writer.store(
      records,
      peers,
      options,
      this.#stopping.signal,
    );
    for (const { stored } of results) {
      this.#parts.metrics.count("meshnode_dht_puts_total", {
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
    const { readRepair } = this.#parts;
    const subkeys = options.subkeys?.map(encode);
    const reads = keys.map((each) => {
      const key = dhtId(each);
      return {
        query: { key, subkeys },
        peers: this.#candidates(key),
        merge: new Merge(
          this.#parts.service,
          this.#options.validator,
          this.#parts.metrics,
        ),
      };
    });
    await this.#parts.reader.read(
      reads,
      options,
      this.#stopping.signal,
      (heard) => readRepair.heard(heard, this.#stopping.signal),
    );
    return reads.map(({ merge }) => merge.found());
  }

  /** Does what must be done in the background, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, prober, repairer } = this.#parts;
    await Promise.all([
      prober.run(clock, this.#tasks, signal),
      repairer.run(signal),
    ]);
  }

  /** Waits for what is under way, a few seconds at most, and ends it. */
  async stop(): Promise<void> {
    using limit = deadline(STOP_GRACE);
    await raceSignal(this.#tasks.settled(), limit.signal).catch(() => {});
    this.#stopping.abort(new MeshError("DHT_STOPPED", "The node stops."));
    await this.#tasks.settled();
  }

  #nearest(key: Uint8Array, times: number): string[] {
    const { neighbourhood, numReplicas } = this.#parts;
    return neighbourhood.nearest(key, times * numReplicas);
  }

  /** Who may hold a key: its replicas, and as many stand-ins. */
  #candidates(key: Uint8Array): string[] {
    return this.#nearest(key, 2);
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
