import { compare } from "../../core/bytes.ts";
import { deadline } from "../../core/deadline.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Tasks } from "../../core/tasks.ts";
import type { RecordPage } from "../../records/local_storage.ts";
import { type DhtRecord, isPlain } from "../../records/record.ts";
import type { RecordValidator } from "../../validation/validator.ts";
import { UnansweredError } from "../errors.ts";
import { Merge } from "../merge.ts";
import type { PeerBook } from "../peer_book.ts";
import type { Errand, ReplicaCalls } from "../replica_calls.ts";
import type { ReplicaService } from "../service.ts";
import type { ListOptions, ListPage, StoreResult } from "../types.ts";
import { majority } from "../writer.ts";
import type { OwnerService } from "./owner_service.ts";
import { ConditionalStore } from "./conditional_store.ts";
import type { ListQuery } from "./owner_wire.ts";

const PAGE = 256;

const HEARD = new Error("Enough replicas were heard.");

/** What the tools work with. */
export interface OwnerToolsParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** Our own replica's rules. */
  readonly service: ReplicaService;
  /** Our own replica, as owners use it. */
  readonly owners: OwnerService;
  /** The other ones. */
  readonly replicas: ReplicaCalls;
  /** Knows who is silent. */
  readonly book: PeerBook;
  /** The rules for records. */
  readonly validator: RecordValidator;
  /** Where to count. */
  readonly metrics: Metrics;
  /** Work that outlives who asked for it. */
  readonly tasks: Tasks;
}

/** Conditional stores and listings, at all replicas of a key. */
export class OwnerTools {
  readonly #parts: OwnerToolsParts;

  /** Works with the given parts. */
  constructor(parts: OwnerToolsParts) {
    this.#parts = parts;
  }

  /** Stores a record on a condition, at its replicas; see {@linkcode ConditionalStore}. */
  storeIf(
    record: DhtRecord,
    expected: Uint8Array | null,
    peers: readonly string[],
    errand: Errand,
    stopping: AbortSignal,
  ): Promise<StoreResult> {
    return new ConditionalStore(this.#parts, record, expected, peers)
      .run(errand, stopping);
  }

  /**
   * A part of the dictionary that the replicas hold together.
   *
   * @throws {UnansweredError} when none of them answers.
   */
  async list(
    key: Uint8Array,
    peers: readonly string[],
    { after, limit = PAGE, ...errand }: ListOptions,
  ): Promise<ListPage> {
    const { service, validator, metrics } = this.#parts;
    const query = { key, after, most: Math.max(1, Math.floor(limit)) };
    const pages = await this.#pages(peers, query, errand);
    errand.signal?.throwIfAborted();
    if (pages.length === 0) {
      throw new UnansweredError("What is under the key", peers, "none");
    }
    const isAfter = ({ subkey }: DhtRecord) =>
      after === undefined || compare(subkey, after) > 0;
    // Beyond the last record of a page that goes on, others may be missing.
    // What lies behind the page's beginning leads nowhere.
    const [end] = pages.flatMap(({ records, more }) =>
      more ? records.filter(isAfter).at(-1)?.subkey ?? [] : []
    ).sort(compare);
    const merge = new Merge(service, validator, metrics);
    for (const record of pages.flatMap(({ records }) => records)) {
      const isBefore = end === undefined || compare(record.subkey, end) <= 0;
      // A plain record is none of the dictionary's, and may not hide a part of it.
      if (isAfter(record) && isBefore && !isPlain(record)) merge.add(record);
    }
    const found = merge.found(true);
    return {
      entries: found?.kind === "dictionary" ? found.entries : [],
      ...(end === undefined ? {} : { next: end }),
    };
  }

  /** All replicas' pages; who is silent is not waited for once enough others answered. */
  async #pages(
    peers: readonly string[],
    query: ListQuery,
    errand: Errand,
  ): Promise<RecordPage[]> {
    const { book } = this.#parts;
    const needed = peers.length - majority(peers.length) + 1;
    const heard = new AbortController();
    using life = deadline(Infinity, errand.signal, heard.signal);
    const open = new Set(peers);
    const pages: RecordPage[] = [];
    await Promise.all(peers.map(async (peer) => {
      const page = await this.#pageAt(peer, query, {
        ...errand,
        signal: life.signal,
      });
      open.delete(peer);
      if (page !== undefined) pages.push(page);
      const isOver = open.values().every((each) => book.isSilent(each));
      if (pages.length >= needed && isOver) heard.abort(HEARD);
    }));
    return pages;
  }

  async #pageAt(peerId: string, query: ListQuery, errand: Errand) {
    const { owners, replicas } = this.#parts;
    if (peerId === this.#parts.peerId) return owners.page(query);
    try {
      return await replicas.page(peerId, query, errand);
    } catch {
      return undefined;
    }
  }
}
