import { toHex } from "../core/bytes.ts";
import { raceSignal } from "../core/deadline.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Tasks } from "../core/tasks.ts";
import type { DhtRecord } from "../records/record.ts";
import type { RecordValidator } from "../validation/validator.ts";
import type { RouteOptions } from "./lookup/router.ts";
import { Merge } from "./merge.ts";
import type { ReadCache } from "./read_cache.ts";
import type { Read } from "./read_run.ts";
import type { Reader } from "./reader.ts";
import type { ReadRepair } from "./repair/read_repair.ts";
import type { ReplicaService } from "./service.ts";
import type { GetOptions } from "./types.ts";

/** What {@linkcode Gets} works with. */
export interface GetsParts {
  /** Asks replicas. */
  readonly reader: Reader;
  /** Is told what they answered. */
  readonly readRepair: ReadRepair;
  /** Judges what they answer. */
  readonly service: ReplicaService;
  /** Strips signatures. */
  readonly validator: RecordValidator;
  /** Where to count. */
  readonly metrics: Metrics;
  /** What goes on in the background. */
  readonly tasks: Tasks;
  /** What was found under hot keys, if that is to be kept. */
  readonly cache: ReadCache | undefined;
  /** Who may hold a key, nearest first. */
  readonly candidatesOf: (
    key: Uint8Array,
    options: RouteOptions,
  ) => readonly string[] | Promise<readonly string[]>;
}

/**
 * Reads that are made only once: who asks for what is being read waits for
 * that answer, and hot keys are answered from the cache. A read of the latest
 * shares nothing and is never answered from what was found before, since it
 * must see every store that ended before it began.
 */
export class Gets {
  readonly #parts: GetsParts;
  readonly #stopping: AbortSignal;
  readonly #flights = new Map<string, Promise<readonly DhtRecord[]>>();
  /** Reads of the latest, which nobody joins: the last of each key. */
  readonly #latest = new Map<string, Promise<readonly DhtRecord[]>>();

  /** Reads until it is stopped. */
  constructor(parts: GetsParts, stopping: AbortSignal) {
    this.#parts = parts;
    this.#stopping = stopping;
  }

  /** What is held under each key; of some subkeys when they are given. */
  async many(
    keys: readonly Uint8Array[],
    subkeys: readonly Uint8Array[] | undefined,
    options: GetOptions,
  ): Promise<Merge[]> {
    const isShared = !options.latest && subkeys === undefined &&
      options.enough === undefined;
    const merges = keys.map(() => this.#merge());
    const own: number[] = [];
    const joined: Promise<void>[] = [];
    keys.forEach((key, i) => {
      const merge = merges[i] as Merge;
      if (isShared && this.#cached(key, merge)) return;
      if (isShared && this.#flights.has(toHex(key))) {
        joined.push(this.#join(key, merge, options));
      } else own.push(i);
    });
    await Promise.all([
      ...joined,
      own.length === 0 ? undefined : this.#fly(
        own.map((i) => keys[i] as Uint8Array),
        own.map((i) => merges[i] as Merge),
        subkeys,
        options,
      ),
    ]);
    return merges;
  }

  /** Forgets what is known of a key, and what is being read of it. */
  forget(key: Uint8Array): void {
    const name = toHex(key);
    this.#flights.delete(name);
    this.#latest.delete(name);
    this.#parts.cache?.delete(name);
  }

  #merge(): Merge {
    const { service, validator, metrics } = this.#parts;
    return new Merge(service, validator, metrics);
  }

  #cached(key: Uint8Array, merge: Merge): boolean {
    const { cache, metrics, tasks } = this.#parts;
    const name = toHex(key);
    const cached = cache?.get(name);
    if (cached === undefined) return false;
    for (const record of cached.records) merge.add(record);
    if (merge.isEmpty) {
      cache?.delete(name);
      return false;
    }
    metrics.count("meshnode_dht_cache_hits_total");
    if (cached.isDue && !this.#flights.has(name)) {
      metrics.count("meshnode_dht_cache_refreshes_total");
      tasks.own(this.#fly([key], [this.#merge()], undefined, {}));
    }
    return true;
  }

  async #join(
    key: Uint8Array,
    merge: Merge,
    options: GetOptions,
  ): Promise<void> {
    this.#parts.metrics.count("meshnode_dht_joined_reads_total");
    const name = toHex(key);
    for (
      let flight = this.#flights.get(name);
      flight !== undefined;
      flight = this.#flights.get(name)
    ) {
      try {
        const records = await raceSignal(flight, options.signal);
        for (const record of records) merge.add(record);
        return;
      } catch (error) {
        if (options.signal?.aborted || this.#stopping.aborted) throw error;
        // Whoever began it gave up; one of us begins anew, for the others too.
        if (this.#flights.get(name) === flight) this.#flights.delete(name);
      }
    }
    await this.#fly([key], [merge], undefined, options);
  }

  /** Reads, for whoever asks for the same meanwhile, too. */
  async #fly(
    keys: readonly Uint8Array[],
    merges: readonly Merge[],
    subkeys: readonly Uint8Array[] | undefined,
    options: GetOptions,
  ): Promise<void> {
    const read = this.#read(keys, merges, subkeys, options);
    // A part is of use to nobody else.
    if (subkeys !== undefined || options.enough !== undefined) {
      return await read;
    }
    const names = keys.map(toHex);
    const under = options.latest ? this.#latest : this.#flights;
    const flights = merges.map((merge) => read.then(() => merge.records));
    flights.forEach((flight, i) => {
      // Nobody may be waiting for it.
      flight.catch(() => {});
      under.set(names[i] as string, flight);
    });
    try {
      await read;
      names.forEach((name, i) => {
        const records = merges[i]?.records ?? [];
        // What was stored meanwhile is newer than what was read.
        const isNew = under.get(name) === flights[i];
        if (isNew) this.#parts.cache?.put(name, records);
      });
    } finally {
      names.forEach((name, i) => {
        if (under.get(name) === flights[i]) under.delete(name);
      });
    }
  }

  async #read(
    keys: readonly Uint8Array[],
    merges: readonly Merge[],
    subkeys: readonly Uint8Array[] | undefined,
    options: GetOptions,
  ): Promise<void> {
    const { reader, readRepair, candidatesOf } = this.#parts;
    const reads = await Promise.all(keys.map(async (key, i) => ({
      query: { key, subkeys },
      peers: await candidatesOf(key, options),
      merge: merges[i] as Merge,
    })));
    await reader.read(
      reads,
      options,
      this.#stopping,
      (heard: readonly Read[]) => readRepair.heard(heard, this.#stopping),
    );
  }
}
