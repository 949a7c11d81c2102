import type { Clock } from "../core/clock.ts";
import { MeshError } from "../core/errors.ts";
import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { DhtRecord } from "../records/record.ts";
import { storeBatches } from "./batches.ts";
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
  /** Is told of each call. */
  readonly onCall?: ((trace: CallTrace) => void) | undefined;
}

/** An answer to a store without the name of the replica. */
export type Answer = Omit<ReplicaAnswer, "peerId">;

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
    const read = (bytes: Uint8Array) => decodeFound(bytes, queries);
    try {
      const body = encodeFind(queries);
      return await this.ask(peerId, METHODS.find, body, read, errand);
    } catch {
      return undefined;
    }
  }

  /** Asks a peer, with its own time limit, and reads what it answers. */
  async ask<T>(
    peerId: string,
    method: string,
    body: Uint8Array,
    read: (answer: Uint8Array) => T,
    { signal, onCall }: Errand,
  ): Promise<T> {
    const start = this.#clock.now();
    let outcome = "answered";
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
      const milliseconds = this.#clock.now() - start;
      onCall?.({ peerId, method, milliseconds, outcome });
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

function codeOf(error: unknown): string {
  return error instanceof MeshError ? error.code : "ERROR";
}

/** A replica's word as an outcome and, for a refusal, its reason. */
export function answerOf(answer: StoreAnswer): Answer {
  switch (answer) {
    case "stored":
    case "older":
    case "later":
      return { outcome: answer };
    case "refused":
      return { outcome: "refused", reason: "invalid" };
    default:
      return { outcome: "refused", reason: answer };
  }
}
