import { compare } from "../../core/bytes.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { DhtRecord } from "../../records/record.ts";
import type { RecordValidator } from "../../validation/validator.ts";
import { Merge } from "../merge.ts";
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
  StoreResult,
} from "../types.ts";
import { decodeStoreAnswers } from "../wire.ts";
import { majority } from "../writer.ts";
import type { OwnerService } from "./owner_service.ts";
import { encodeStoreIf, type ListQuery, OWNER_METHODS } from "./owner_wire.ts";

const PAGE = 256;

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
   * The nearest replica that can be reached decides: when it holds something
   * else, nothing is written anywhere. The majority of the replicas must have
   * held what was expected; as each takes one successor only, at most one of
   * several writers succeeds.
   */
  async storeIf(
    record: DhtRecord,
    expected: Uint8Array | null,
    peers: readonly string[],
    options: CallOptions,
  ): Promise<StoreResult> {
    const quorum = majority(peers.length);
    const replicas: ReplicaAnswer[] = [];
    const ask = async (peerId: string) => {
      const answer = await this.#storeIfAt(peerId, record, expected, options);
      replicas.push({ peerId, ...answer });
      return answer.outcome;
    };
    const others = [...peers];
    for (let next = others.shift(); next !== undefined; next = others.shift()) {
      const outcome = await ask(next);
      options.signal?.throwIfAborted();
      if (outcome === "unreachable") continue;
      if (outcome === "stored") await Promise.all(others.map(ask));
      break;
    }
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

  /** A part of the dictionary that the replicas hold together. */
  async list(
    key: Uint8Array,
    peers: readonly string[],
    { after, limit = PAGE, ...errand }: ListOptions,
  ): Promise<ListPage> {
    const { service, validator, metrics } = this.#parts;
    const query = { key, after, most: Math.max(1, Math.floor(limit)) };
    const pages = await Promise.all(
      peers.map((peer) => this.#pageAt(peer, query, errand)),
    );
    errand.signal?.throwIfAborted();
    // Beyond the last record of a page that goes on, others may be missing.
    const [end] = pages.flatMap(({ records, more }) =>
      more ? records.at(-1)?.subkey ?? [] : []
    ).sort(compare);
    const merge = new Merge(service, validator, metrics);
    for (const record of pages.flatMap(({ records }) => records)) {
      const isAfter = after === undefined || compare(record.subkey, after) > 0;
      const isBefore = end === undefined || compare(record.subkey, end) <= 0;
      if (isAfter && isBefore) merge.add(record);
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

  async #pageAt(peerId: string, query: ListQuery, errand: Errand) {
    const { owners, replicas } = this.#parts;
    if (peerId === this.#parts.peerId) return owners.page(query);
    try {
      return await replicas.page(peerId, query, errand);
    } catch {
      return { records: [], more: false };
    }
  }
}
