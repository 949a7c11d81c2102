import { equal } from "../core/bytes.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { Tasks } from "../core/tasks.ts";
import { dhtId } from "../records/dht_id.ts";
import type { DhtRecord } from "../records/record.ts";
import { encode } from "../records/serializer.ts";
import {
  isTombstone,
  TOMBSTONE,
  TOMBSTONE_OUTLIVES,
} from "../records/tombstone.ts";
import type { MeshValue } from "../records/values.ts";
import { assemble, type Assembly } from "./assembly.ts";
import { StoreError, UnansweredError } from "./errors.ts";
import { Gets } from "./gets.ts";
import type { RouteOptions } from "./lookup/router.ts";
import type { Merge } from "./merge.ts";
import type { DhtOptions, Streams } from "./options.ts";
import { Electors } from "./owner/electors.ts";
import { OwnerTools } from "./owner/owner_tools.ts";
import { recordOf, signed, subkeyBytes } from "./owner/sign.ts";
import { Watch } from "./owner/watch.ts";
import { ReadCache } from "./read_cache.ts";
import type {
  CallOptions,
  DeleteOptions,
  Found,
  GetOptions,
  ListOptions,
  ListPage,
  PutOptions,
  RecordStore,
  StoreRequest,
  StoreResult,
  WatchEvent,
} from "./types.ts";

/** How long a stop waits for stores that are under way, ms. */
const STOP_GRACE = 3_000;

/** Nobody can be watched. */
const NO_STREAMS: Streams = {
  stream: () => {
    throw new MeshError("RPC_UNREACHABLE", "There are no streams here.");
  },
  registerStream: () => () => {},
};

/** Signed, expiring records of many writers, kept by the nearest peers. */
export class Dht implements RecordStore {
  readonly #options: DhtOptions;
  readonly #parts: Assembly;
  readonly #owners: OwnerTools;
  readonly #tasks = new Tasks();
  readonly #stopping = new AbortController();
  readonly #gets: Gets;
  readonly #electors: Electors;

  /** Registers its methods with the calls. */
  constructor(options: DhtOptions) {
    this.#options = options;
    // What is read must not be older than what our own replica knows.
    const forget = ({ key }: DhtRecord) => this.#gets.forget(key);
    this.#parts = assemble(options, this.#tasks, forget);
    const { clock } = this.#parts;
    this.#gets = new Gets({
      ...this.#parts,
      validator: options.validator,
      tasks: this.#tasks,
      cache: options.cache && new ReadCache(clock, options.cache),
      candidatesOf: (key, options) => this.#candidates(key, options),
    }, this.#stopping.signal);
    this.#owners = new OwnerTools(this.#parts.tools);
    this.#electors = new Electors({ ...this.#parts, peerId: options.peerId });
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
    const { validator } = this.#options;
    return await this.#put(
      requests.map((request) => recordOf(request, validator)),
      options,
    );
  }

  /**
   * Deletes a record, if it is there and ours to write: a tombstone takes its
   * place until the last copy of it would have expired. Gives nothing when
   * there is nothing to delete.
   *
   * @throws {StoreError} when fewer replicas take the tombstone than the quorum.
   * @throws {UnansweredError} when too few replicas answer to say that there is nothing.
   */
  async delete(
    key: MeshValue,
    subkey?: MeshValue,
    options: DeleteOptions = {},
  ): Promise<StoreResult | undefined> {
    const bytes = subkeyBytes(subkey);
    let isWhole = false;
    const [merge] = await this.#read([key], {
      ...options,
      subkeys: [subkey ?? null],
      latest: true,
      onHeard: (whole) => isWhole = whole,
    });
    const present = merge?.records.find((each) => equal(each.subkey, bytes));
    if (present === undefined && !isWhole) {
      const peers = this.replicasOf(key);
      throw new UnansweredError("Whether there is a record", peers, "few");
    }
    if (present === undefined || isTombstone(present)) return undefined;
    const tombstone = signed({
      ...present,
      value: TOMBSTONE,
      expiration: Math.max(
        options.expiration ?? 0,
        present.expiration + TOMBSTONE_OUTLIVES,
      ),
    }, this.#options.validator);
    const [result] = await this.#put([tombstone], options);
    if (!result?.stored) throw new StoreError(result as StoreResult);
    return result;
  }

  /**
   * Stores a record only where the one with the expected digest is held (see
   * {@linkcode GetOptions}), or none for `null`.
   *
   * At most one of several writers who expect the same succeeds, as long as
   * they agree on who the replicas are; peers that left in the last minutes are
   * still counted, so that who is cut off with a few does not decide alone. Who
   * fails leaves nothing at any replica: the value of who succeeded is what all
   * of them end with.
   *
   * There is one exception. When connections break, or the writer dies, while
   * the replicas that agreed store the record, some of them may hold it that
   * cannot be told to put back what they had: `STORE_UNCERTAIN`. It prevails
   * later unless a longer-lived one does, also over that of a writer who
   * succeeded meanwhile without them. Who aborts the signal is told nothing:
   * the record is stored or not.
   *
   * @throws {StoreError} `STORE_CONFLICT` when something else is held, or
   * another writer was faster; `STORE_BELOW_QUORUM` when too few replicas take
   * part; `STORE_UNCERTAIN`.
   */
  async storeIf(
    request: StoreRequest,
    expected: Uint8Array | null,
    options: CallOptions = {},
  ): Promise<StoreResult> {
    const record = recordOf(request, this.#options.validator);
    const stopping = this.#stopping.signal;
    const life = deadline(Infinity, stopping, options.signal);
    const errand = { ...options, signal: life.signal };
    const storing = this.#candidates(record.key, options)
      .then((found) =>
        this.#owners.storeIf(
          record,
          expected,
          this.#electors.of(record.key, found),
          errand,
          stopping,
        )
      )
      .finally(() => {
        life[Symbol.dispose]();
        this.#gets.forget(record.key);
      });
    this.#tasks.own(storing);
    const result = await raceSignal(storing, life.signal);
    if (!result.stored) throw new StoreError(result);
    return result;
  }

  /**
   * A part of a key's dictionary, with digests.
   *
   * @throws {UnansweredError} when no replica answers.
   */
  async list(key: MeshValue, options: ListOptions = {}): Promise<ListPage> {
    const place = dhtId(key);
    using life = deadline(Infinity, this.#stopping.signal, options.signal);
    return await this.#owners.list(place, await this.#replicas(place), {
      ...options,
      signal: life.signal,
    });
  }

  /**
   * Tells what is under a key and then what changes there, as its replicas push
   * it, until the signal is aborted or the loop is left. Records that expire
   * are not told.
   */
  watch(
    key: MeshValue,
    options: CallOptions = {},
  ): AsyncGenerator<WatchEvent> {
    const place = dhtId(key);
    const watch = new Watch(place, {
      ...this.#parts.tools,
      streams: this.#options.streams ?? NO_STREAMS,
      clock: this.#parts.clock,
      nearest: () => this.#replicas(place),
      stopping: this.#stopping.signal,
    });
    return watch.events(options.signal);
  }

  async #put(
    records: readonly DhtRecord[],
    options: PutOptions,
  ): Promise<StoreResult[]> {
    const peers = await Promise.all(
      records.map(({ key }) => this.#candidates(key, options)),
    );
    const forget = () => records.forEach(({ key }) => this.#gets.forget(key));
    forget();
    const results = await this.#parts.writer.store(
      records,
      peers,
      options,
      this.#stopping.signal,
    ).finally(forget);
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
    return (await this.#read(keys, options))
      .map((merge) => merge.found(options.digests));
  }

  async #read(
    keys: readonly MeshValue[],
    options: GetOptions,
  ): Promise<Merge[]> {
    const subkeys = options.subkeys?.map(encode);
    return await this.#gets.many(keys.map(dhtId), subkeys, options);
  }

  /** Does what must be done in the background, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, prober, repairer } = this.#parts;
    await Promise.all([
      this.#electors.run(signal),
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

  /** A key's replicas, looked up where the table is not whole. */
  async #replicas(key: Uint8Array): Promise<readonly string[]> {
    return (await this.#candidates(key)).slice(0, this.#parts.numReplicas);
  }

  #nearest(key: Uint8Array, times: number): string[] {
    const { neighbourhood, numReplicas } = this.#parts;
    const { client, peerId } = this.#options;
    const count = times * numReplicas;
    if (!client) return neighbourhood.nearest(key, count);
    return neighbourhood.nearest(key, count + 1)
      .filter((peer) => peer !== peerId).slice(0, count);
  }

  /** Who may hold a key: its replicas, and as many stand-ins. */
  async #candidates(
    key: Uint8Array,
    options: RouteOptions = {},
  ): Promise<readonly string[]> {
    const { router, numReplicas } = this.#parts;
    const { client, peerId } = this.#options;
    const count = 2 * numReplicas;
    const { signal } = this.#stopping;
    const wanted = client ? count + 1 : count;
    const peers = await router.nearest(key, wanted, signal, options);
    return client
      ? peers.filter((peer) => peer !== peerId).slice(0, count)
      : peers;
  }
}
