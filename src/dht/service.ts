import { type Clock, dhtTime } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import type { Metrics } from "../core/metrics.ts";
import { Pace } from "../core/pace.ts";
import { sizeOf } from "../records/limits.ts";
import type {
  LocalStorage,
  RecordPage,
  StoreOptions,
  StoreOutcome,
} from "../records/local_storage.ts";
import type { DhtRecord } from "../records/record.ts";
import type { HeldRecord } from "../records/table.ts";
import { isTombstone, TOMBSTONE_OUTLIVES } from "../records/tombstone.ts";
import {
  judge,
  type RecordValidator,
  type ValidationType,
  type Verdict,
} from "../validation/validator.ts";
import { Answerable } from "./answerable.ts";
import {
  decodeFind,
  decodeStore,
  encodeFound,
  encodePong,
  encodeStoreAnswers,
  type FindQuery,
  type StoreAnswer,
} from "./wire.ts";

/** Longest life of a record from now, in seconds, unless configured. */
export const MAX_LIFETIME = 7 * 24 * 3600;

/** Bounds of what one answer carries: it fits into a frame together with one more record. */
export const PAGE_BOUNDS = { bytes: 2 * 1024 * 1024, records: 4_096 } as const;

/** Bounds of an answer, or what is left of them. */
interface PageBounds {
  bytes: number;
  records: number;
}

/** On what condition a record is stored; see {@linkcode StoreOptions}. */
export type StoreCondition = Pick<StoreOptions, "expected" | "onReplaced">;

/** Who is told of our replica's records. */
export interface ReplicaListeners {
  /** What is new here and safe. */
  readonly onStored?: (record: DhtRecord) => void;
  /** What was stored once more. */
  readonly onHeld?: (record: DhtRecord) => void;
  /** What was taken back, so that something older is here again, or nothing. */
  readonly onRestored?: (record: DhtRecord) => void;
}

/** How long the storing of copies rests after each two milliseconds, ms. */
const COPIES_REST = 8;
/** How long a validator may look up what a record depends on, ms. */
const LEARN_TIMEOUT = 1_500;

/** Our own replica: what others ask of us, and what we ask of ourselves. */
export class ReplicaService {
  readonly #storage: LocalStorage;
  readonly #answerable = new Answerable();
  readonly #peerId: string;
  readonly #validator: RecordValidator;
  readonly #clock: Clock;
  readonly #pace: Pace;
  /** Copies come in the background, and have a fifth of the time. */
  readonly #slowPace: Pace;
  readonly #metrics: Metrics;
  readonly #maxLifetime: number;
  readonly #listeners: ReplicaListeners;

  /**
   * Serves a peer's storage under the validator's rules; `maxLifetime` in
   * seconds.
   */
  constructor(
    storage: LocalStorage,
    peerId: string,
    validator: RecordValidator,
    clock: Clock,
    metrics: Metrics,
    maxLifetime: number = MAX_LIFETIME,
    listeners: ReplicaListeners = {},
  ) {
    this.#storage = storage;
    this.#peerId = peerId;
    this.#validator = validator;
    this.#clock = clock;
    this.#pace = new Pace(clock);
    this.#slowPace = new Pace(clock, COPIES_REST);
    this.#metrics = metrics;
    this.#maxLifetime = maxLifetime;
    this.#listeners = listeners;
  }

  /** Live records held here. */
  get records(): number {
    return this.#storage.records;
  }

  /** Whether a received record may be used: its life, then the validators. */
  isValid(record: DhtRecord, type: ValidationType): boolean {
    return this.#judge(record, type) === "ok";
  }

  /**
   * Validates and stores one record of a peer, our own when none is named; with
   * a condition only if it holds.
   */
  async store(
    record: DhtRecord,
    type: ValidationType = "post",
    sender?: string,
    condition: StoreCondition = {},
  ): Promise<StoreAnswer> {
    const answer = await this.#store(record, type, sender, condition);
    this.#metrics.count("meshnode_dht_stores_total", { answer });
    return answer;
  }

  /** What a store of a peer's record with a condition would be answered, as far as that shows before. */
  async preview(
    record: DhtRecord,
    sender: string | undefined,
    expected: Uint8Array | null,
  ): Promise<StoreAnswer | undefined> {
    let refusal = this.#refusal(record, "post", sender);
    if (refusal === "later") {
      await this.#learn(record);
      refusal = this.#refusal(record, "post", sender);
    }
    if (refusal !== undefined) return refusal;
    const outcome = this.#storage.preview(record, expected);
    return outcome === "held" ? "stored" : outcome;
  }

  /** Whether the very record is held here. */
  has(record: DhtRecord): boolean {
    return this.#storage.has(record);
  }

  /** Puts back what a record took the place of, if the record is held still, once that is safe. */
  async restore(
    record: DhtRecord,
    replaced: HeldRecord | undefined,
  ): Promise<boolean> {
    if (!this.#storage.restore(record, replaced)) return false;
    if (await this.#kept("stored") !== "stored") return false;
    this.#listeners.onRestored?.(record);
    return true;
  }

  /** Validates and stores what a peer sends in bulk, which leaves everything else its turn. */
  storeAll(
    records: readonly DhtRecord[],
    type: ValidationType,
    sender: string,
  ): Promise<StoreAnswer[]> {
    const pace = type === "copy" ? this.#slowPace : this.#pace;
    return pace.each(
      records,
      (record) => this.store(record, type, sender),
    );
  }

  /** Copies of the live records that a query asks for. */
  find({ key, subkeys }: FindQuery): DhtRecord[] {
    return this.#storage.find(key, subkeys);
  }

  /** Part of what lives under a key. */
  page(key: Uint8Array, bounds: PageBounds, after?: Uint8Array): RecordPage {
    return this.#storage.page(key, bounds, after);
  }

  /** Answers `dht.ping`. */
  onPing(): Uint8Array {
    return encodePong(dhtTime(this.#clock));
  }

  /** Answers `dht.store`. */
  async onStore(body: Uint8Array, sender: string): Promise<Uint8Array> {
    return encodeStoreAnswers(
      await this.storeAll(decodeStore(body), "post", sender),
    );
  }

  /** Answers `dht.find`. */
  onFind(body: Uint8Array): Uint8Array {
    const left = { ...PAGE_BOUNDS };
    const pages = decodeFind(body).map((query) => this.#part(query, left));
    return encodeFound(
      pages.map(({ records }) => records),
      pages.map(({ more }) => more),
    );
  }

  /** What a query asks for, as far as it fits into what is left of the answer. */
  #part({ key, subkeys }: FindQuery, left: PageBounds): RecordPage {
    if (left.bytes <= 0 || left.records <= 0) {
      return { records: [], more: true };
    }
    const page = subkeys === undefined
      ? this.#storage.page(key, left)
      : fitting(this.#storage.find(key, subkeys), left.bytes);
    left.records -= page.records.length;
    for (const record of page.records) left.bytes -= sizeOf(record);
    return page;
  }

  #judge(
    record: DhtRecord,
    type: ValidationType,
    sender?: string,
  ): Verdict {
    const left = record.expiration - dhtTime(this.#clock);
    if (!(left >= 0) || this.#isTooLong(left, record)) return "refused";
    return judge(this.#validator, record, type, sender);
  }

  async #store(
    record: DhtRecord,
    type: ValidationType,
    sender: string | undefined,
    condition: StoreCondition,
  ): Promise<StoreAnswer> {
    let refusal = this.#refusal(record, type, sender);
    if (refusal === "later") {
      await this.#learn(record);
      refusal = this.#refusal(record, type, sender);
    }
    // From here on nothing waits: what was judged is what is stored.
    if (refusal !== undefined) return refusal;
    const outcome = this.#storage.store(record, {
      owner: this.#answerable.of(record) ?? sender ?? this.#peerId,
      ...condition,
    });
    if (outcome === "stored") this.#validator.stored?.(record, type, sender);
    if (outcome === "held") this.#listeners.onHeld?.(record);
    const kept = await this.#kept(outcome);
    if (kept === "older") return "older";
    // Sent again after a lost answer: held is held.
    if (kept === "stored" || kept === "held") {
      if (kept === "stored") this.#listeners.onStored?.(record);
      return "stored";
    }
    if (kept === "conflict") return "conflict";
    this.#metrics.count("meshnode_dht_refused_records_total", { reason: kept });
    return kept;
  }

  /** Why a record is not stored, whatever is held. */
  #refusal(
    record: DhtRecord,
    type: ValidationType,
    sender: string | undefined,
  ): StoreAnswer | undefined {
    const left = record.expiration - dhtTime(this.#clock);
    if (!(left >= 0)) return "expired";
    if (this.#isTooLong(left, record)) return "too-long-lived";
    const verdict = this.#judge(record, type, sender);
    return verdict === "ok" ? undefined : verdict;
  }

  /** A tombstone outlives what has the longest life. */
  #isTooLong(left: number, record: DhtRecord): boolean {
    if (left <= this.#maxLifetime) return false;
    // Twice, as sums of times are rounded.
    return !isTombstone(record) ||
      left > this.#maxLifetime + 2 * TOMBSTONE_OUTLIVES;
  }

  /** Looks up what a record depends on. */
  async #learn(record: DhtRecord): Promise<void> {
    using limit = deadline(LEARN_TIMEOUT);
    await this.#validator.learn?.(record, limit.signal);
  }

  /** Nothing is acknowledged before it is safe. */
  async #kept(outcome: StoreOutcome): Promise<StoreOutcome> {
    try {
      await this.#storage.committed();
      return outcome;
    } catch {
      return "storage-failed";
    }
  }
}

/** As many of some records as fit; at least one. Who misses the others asks for them alone. */
function fitting(records: readonly DhtRecord[], bytes: number): RecordPage {
  let sum = 0;
  const fits = records.filter((record, i) =>
    (sum += sizeOf(record)) <= bytes || i === 0
  );
  return { records: fits, more: fits.length < records.length };
}
