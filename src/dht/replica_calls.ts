import { toHex } from "../core/bytes.ts";
import type { Clock } from "../core/clock.ts";
import { MeshError } from "../core/errors.ts";
import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import { sizeOf } from "../records/limits.ts";
import type { RecordPage } from "../records/local_storage.ts";
import type { DhtRecord } from "../records/record.ts";
import { storeBatches } from "./batches.ts";
import {
  decodePage,
  encodeList,
  type ListQuery,
  OWNER_METHODS,
} from "./owner/owner_wire.ts";
import type { Calls } from "./options.ts";
import type { PeerBook } from "./peer_book.ts";
import type { CallTrace, ReplicaAnswer } from "./types.ts";
import {
  decodeFound,
  decodePong,
  decodeStoreAnswers,
  encodeFind,
  encodeStore,
  type FindQuery,
  METHODS,
  type StoreAnswer,
} from "./wire.ts";

/** What goes with every call of one operation. */
export interface Errand {
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of each call that begins. */
  readonly onAsk?: ((peerId: string, method: string) => void) | undefined;
  /** Is told of each call that ended. */
  readonly onCall?: ((trace: CallTrace) => void) | undefined;
}

/** An answer to a store without the name of the replica. */
export type Answer = Omit<ReplicaAnswer, "peerId">;

/** Most of one key that is taken from one peer. */
const WHOLE = { records: 65_536, bytes: 64 * 1024 * 1024 } as const;

/** Calls at other replicas, each with a time limit made for the peer, from which the peer book learns. */
export class ReplicaCalls {
  readonly #calls: Calls;
  readonly #book: PeerBook;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #log = loggerOf("dht");

  /** Calls through `calls`, and notes in the book what became of it. */
  constructor(calls: Calls, book: PeerBook, clock: Clock, metrics: Metrics) {
    this.#calls = calls;
    this.#book = book;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Asks for a sign of life; gives the peer's DHT time. */
  ping(peerId: string, errand: Errand = {}): Promise<number> {
    return this.ask(peerId, METHODS.ping, new Uint8Array(), decodePong, errand);
  }

  /** Stores records at a peer, as their writer or as a holder of copies; never fails. */
  async store(
    peerId: string,
    records: readonly DhtRecord[],
    errand: Errand = {},
    method: string = METHODS.store,
  ): Promise<Answer[]> {
    const parts = await Promise.all(
      storeBatches(records).map(async (batch): Promise<Answer[]> => {
        const body = encodeStore(batch);
        const read = (bytes: Uint8Array) =>
          decodeStoreAnswers(bytes, batch.length).map(answerOf);
        try {
          return await this.ask(peerId, method, body, read, errand);
        } catch (error) {
          const reason = codeOf(error);
          return batch.map(() => ({ outcome: "unreachable", reason }));
        }
      }),
    );
    return parts.flat();
  }

  /** The records a peer holds, for each query; `undefined` without an answer. */
  async find(
    peerId: string,
    queries: readonly FindQuery[],
    errand: Errand = {},
  ): Promise<DhtRecord[][] | undefined> {
    try {
      const pages = await this.#pages(peerId, queries, errand);
      return await Promise.all(
        pages.map(({ records, more }, i) =>
          more
            ? this.#whole(peerId, queries[i] as FindQuery, records, errand)
            : [...records]
        ),
      );
    } catch {
      return undefined;
    }
  }

  /** Part of what a peer holds under a key. @throws {MeshError} */
  page(
    peerId: string,
    query: ListQuery,
    errand: Errand = {},
  ): Promise<RecordPage> {
    const read = (bytes: Uint8Array) => decodePage(bytes, query.key);
    const body = encodeList(query);
    return this.ask(peerId, OWNER_METHODS.list, body, read, errand);
  }

  #pages(
    peerId: string,
    queries: readonly FindQuery[],
    errand: Errand,
  ): Promise<RecordPage[]> {
    const read = (bytes: Uint8Array) => decodeFound(bytes, queries);
    return this.ask(peerId, METHODS.find, encodeFind(queries), read, errand);
  }

  /** What did not fit into an answer with the rest of it, within bounds. */
  async #whole(
    peerId: string,
    query: FindQuery,
    begun: readonly DhtRecord[],
    errand: Errand,
  ): Promise<DhtRecord[]> {
    const records = new Map(begun.map((each) => [toHex(each.subkey), each]));
    let bytes = 0;
    for (let last = begun.at(-1), more = true; more;) {
      const page = query.subkeys === undefined
        ? await this.page(peerId, {
          key: query.key,
          after: last?.subkey,
          most: WHOLE.records,
        }, errand)
        : (await this.#pages(peerId, [without(query, records)], errand))[0];
      const before = records.size;
      for (const record of page?.records ?? []) {
        records.set(toHex(record.subkey), record);
        bytes += sizeOf(record);
      }
      last = page?.records.at(-1);
      more = page?.more ?? false;
      // A peer that brings nothing new, or without end, has said enough.
      if (
        records.size === before || records.size > WHOLE.records ||
        bytes > WHOLE.bytes
      ) break;
    }
    return [...records.values()];
  }

  /** Asks a peer, with its own time limit, and reads what it answers. */
  async ask<T>(
    peerId: string,
    method: string,
    body: Uint8Array,
    read: (answer: Uint8Array) => T,
    { signal, onAsk, onCall }: Errand,
  ): Promise<T> {
    const start = this.#clock.now();
    let outcome = "answered";
    onAsk?.(peerId, method);
    this.#book.asked(peerId, start);
    try {
      const answer = await this.#calls.call(peerId, method, body, {
        timeout: this.#book.timeout(peerId),
        signal,
      });
      const value = read(answer);
      this.#book.answered(peerId, this.#clock.now() - start);
      return value;
    } catch (error) {
      outcome = codeOf(error);
      // Whoever gave up learnt nothing about the peer.
      if (!signal?.aborted) this.#failed(peerId, method, error);
      throw error;
    } finally {
      this.#book.ended(peerId);
      const milliseconds = this.#clock.now() - start;
      onCall?.({ kind: "call", peerId, method, milliseconds, outcome });
    }
  }

  #failed(peerId: string, method: string, error: unknown): void {
    const code = codeOf(error);
    this.#book.failed(peerId, this.#clock.now());
    this.#metrics.count("meshnode_dht_failed_calls_total", { method, code });
    this.#log.debug("{method} at {peerId} failed: {error}", {
      method,
      peerId,
      error,
    });
  }
}

/** A query for the subkeys that are still missing. */
function without(
  { key, subkeys }: FindQuery,
  records: ReadonlyMap<string, DhtRecord>,
): FindQuery {
  return { key, subkeys: subkeys?.filter((each) => !records.has(toHex(each))) };
}

function codeOf(error: unknown): string {
  return error instanceof MeshError ? error.code : "ERROR";
}

/** A replica's word as an outcome and, for a refusal, its reason. */
export function answerOf(answer: StoreAnswer): Answer {
  switch (answer) {
    case "stored":
    case "older":
    case "later":
    case "conflict":
      return { outcome: answer };
    case "refused":
      return { outcome: "refused", reason: "invalid" };
    default:
      return { outcome: "refused", reason: answer };
  }
}
