import { compare, equal } from "../../core/bytes.ts";
import { deadline } from "../../core/deadline.ts";
import type { Metrics } from "../../core/metrics.ts";
import { isExpected } from "../../records/digest.ts";
import type { RecordPage } from "../../records/local_storage.ts";
import { type DhtRecord, isPlain } from "../../records/record.ts";
import type { RecordValidator } from "../../validation/validator.ts";
import { UnansweredError } from "../errors.ts";
import { Merge } from "../merge.ts";
import type { PeerBook } from "../peer_book.ts";
import {
  type Answer,
  answerOf,
  type Errand,
  type ReplicaCalls,
} from "../replica_calls.ts";
import type { ReplicaService } from "../service.ts";
import type {
  CallOptions,
  ListOptions,
  ListPage,
  ReplicaAnswer,
  ReplicaOutcome,
  StoreResult,
} from "../types.ts";
import { decodeStoreAnswers } from "../wire.ts";
import { majority } from "../writer.ts";
import type { OwnerService } from "./owner_service.ts";
import { encodeStoreIf, type ListQuery, OWNER_METHODS } from "./owner_wire.ts";

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
}

/** Conditional stores and listings, at all replicas of a key. */
export class OwnerTools {
  readonly #parts: OwnerToolsParts;

  /** Works with the given parts. */
  constructor(parts: OwnerToolsParts) {
    this.#parts = parts;
  }

  /**
   * Stores a record where the one of the expected digest is held, or none for
   * `null`.
   *
   * A majority of the replicas is asked first what they hold: when its newest
   * is something else, nothing is written anywhere, however far one of them is
   * behind. Then the nearest replica that can be reached decides between those
   * who write at the same time. The majority must have held what was expected;
   * as each takes one successor only, at most one of several writers succeeds.
   */
  async storeIf(
    record: DhtRecord,
    expected: Uint8Array | null,
    peers: readonly string[],
    options: CallOptions,
  ): Promise<StoreResult> {
    const quorum = majority(peers.length);
    const held = await this.#look(record, peers, quorum, options);
    options.signal?.throwIfAborted();
    const replicas = isExpected(this.#newest(held.values()), expected)
      ? held.size < quorum
        ? answers(peers.filter((peer) => !held.has(peer)), "unreachable")
        : await this.#storeIfHeld(record, expected, peers, held, options)
      : answers(
        peers.filter((peer) => isOther(peer, held, expected)),
        "conflict",
      );
    options.signal?.throwIfAborted();
    const stored =
      replicas.filter(({ outcome }) => outcome === "stored").length;
    this.#parts.metrics.count("meshnode_dht_conditional_puts_total", {
      outcome: stored >= quorum ? "stored" : "failed",
    });
    return {
      stored: stored >= quorum,
      quorum,
      replicas: peers.flatMap((peer) =>
        replicas.find(({ peerId }) => peerId === peer) ?? []
      ),
    };
  }

  /** What so many replicas hold in a record's place as are needed; nobody else is waited for. */
  async #look(
    { key, subkey }: DhtRecord,
    peers: readonly string[],
    needed: number,
    options: CallOptions,
  ): Promise<ReadonlyMap<string, DhtRecord | undefined>> {
    const { service, replicas } = this.#parts;
    const heard = new AbortController();
    using life = deadline(Infinity, options.signal, heard.signal);
    const errand = { ...options, signal: life.signal };
    const query = { key, subkeys: [subkey] };
    const held = new Map<string, DhtRecord | undefined>();
    await Promise.all(peers.map(async (peerId) => {
      const records = peerId === this.#parts.peerId
        ? service.find(query)
        : (await replicas.find(peerId, [query], errand))?.[0];
      if (records === undefined || life.signal.aborted) return;
      held.set(
        peerId,
        this.#newest(records.filter((each) => equal(each.subkey, subkey))),
      );
      if (held.size >= needed) heard.abort(HEARD);
    }));
    return held;
  }

  /** The newest valid one of a place's records. */
  #newest(records: Iterable<DhtRecord | undefined>): DhtRecord | undefined {
    const { service, validator, metrics } = this.#parts;
    const merge = new Merge(service, validator, metrics);
    for (const record of records) if (record !== undefined) merge.add(record);
    return merge.records[0];
  }

  /** Stores at the nearest, and where it did, at all others. */
  async #storeIfHeld(
    record: DhtRecord,
    expected: Uint8Array | null,
    peers: readonly string[],
    held: ReadonlyMap<string, DhtRecord | undefined>,
    options: CallOptions,
  ): Promise<ReplicaAnswer[]> {
    const replicas: ReplicaAnswer[] = [];
    const ask = async (peerId: string) => {
      const answer = await this.#storeIfAt(peerId, record, expected, options);
      replicas.push({ peerId, ...answer });
      return answer.outcome;
    };
    // Who is behind has nothing to decide.
    const isBehind = (peer: string) => isOther(peer, held, expected);
    const others = [
      ...peers.filter((peer) => !isBehind(peer)),
      ...peers.filter(isBehind),
    ];
    for (let next = others.shift(); next !== undefined; next = others.shift()) {
      const outcome = await ask(next);
      options.signal?.throwIfAborted();
      if (outcome === "unreachable") continue;
      if (outcome === "stored") await Promise.all(others.map(ask));
      break;
    }
    return replicas;
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

  async #storeIfAt(
    peerId: string,
    record: DhtRecord,
    expected: Uint8Array | null,
    errand: Errand,
  ): Promise<Answer> {
    const { owners, replicas } = this.#parts;
    if (peerId === this.#parts.peerId) {
      return answerOf(await owners.storeIf(record, expected));
    }
    try {
      return await replicas.ask(
        peerId,
        OWNER_METHODS.storeIf,
        encodeStoreIf(record, expected),
        (bytes) => answerOf(decodeStoreAnswers(bytes, 1)[0] ?? "refused"),
        errand,
      );
    } catch {
      return { outcome: "unreachable" };
    }
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

function answers(
  peers: readonly string[],
  outcome: ReplicaOutcome,
): ReplicaAnswer[] {
  return peers.map((peerId) => ({ peerId, outcome }));
}

/** Whether a peer was heard to hold something else than was expected. */
function isOther(
  peer: string,
  held: ReadonlyMap<string, DhtRecord | undefined>,
  expected: Uint8Array | null,
): boolean {
  return held.has(peer) && !isExpected(held.get(peer), expected);
}
