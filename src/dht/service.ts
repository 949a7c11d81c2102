import { type Clock, dhtTime } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import type { Metrics } from "../core/metrics.ts";
import type { LocalStorage, StoreOutcome } from "../records/local_storage.ts";
import type { DhtRecord } from "../records/record.ts";
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

/** How long a validator may look up what a record depends on, ms. */
const LEARN_TIMEOUT = 1_500;

/** Our own replica: what others ask of us, and what we ask of ourselves. */
export class ReplicaService {
  readonly #storage: LocalStorage;
  readonly #answerable = new Answerable();
  readonly #peerId: string;
  readonly #validator: RecordValidator;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #maxLifetime: number;

  /** Serves a peer's storage under the validator's rules; `maxLifetime` in seconds. */
  constructor(
    storage: LocalStorage,
    peerId: string,
    validator: RecordValidator,
    clock: Clock,
    metrics: Metrics,
    maxLifetime: number = MAX_LIFETIME,
  ) {
    this.#storage = storage;
    this.#peerId = peerId;
    this.#validator = validator;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#maxLifetime = maxLifetime;
  }

  /** Live records held here. */
  get records(): number {
    return this.#storage.records;
  }

  /** Whether a received record may be used: its life, then the validators. */
  isValid(record: DhtRecord, type: ValidationType): boolean {
    return this.#judge(record, type) === "ok";
  }

  /** Validates and stores one record of a peer, our own when none is named. */
  async store(
    record: DhtRecord,
    type: ValidationType = "post",
    sender?: string,
  ): Promise<StoreAnswer> {
    const answer = await this.#store(record, type, sender);
    this.#metrics.count("meshnode_dht_stores_total", { answer });
    return answer;
  }

  /** Copies of the live records that a query asks for. */
  find({ key, subkeys }: FindQuery): DhtRecord[] {
    return this.#storage.find(key, subkeys);
  }

  /** Answers `dht.ping`. */
  onPing(): Uint8Array {
    return encodePong(dhtTime(this.#clock));
  }

  /** Answers `dht.store`. */
  async onStore(body: Uint8Array, sender: string): Promise<Uint8Array> {
    return encodeStoreAnswers(
      await Promise.all(
        decodeStore(body).map((record) => this.store(record, "post", sender)),
      ),
    );
  }

  /** Answers `dht.find`. */
  onFind(body: Uint8Array): Uint8Array {
    return encodeFound(decodeFind(body).map((query) => this.find(query)));
  }

  #judge(
    record: DhtRecord,
    type: ValidationType,
    sender?: string,
  ): Verdict {
    const left = record.expiration - dhtTime(this.#clock);
    if (!(left >= 0 && left <= this.#maxLifetime)) return "refused";
    return judge(this.#validator, record, type, sender);
  }

  async #store(
    record: DhtRecord,
    type: ValidationType,
    sender: string | undefined,
  ): Promise<StoreAnswer> {
    const left = record.expiration - dhtTime(this.#clock);
    if (!(left >= 0)) return "expired";
    if (left > this.#maxLifetime) return "too-long-lived";
    let verdict = this.#judge(record, type, sender);
    if (verdict === "later") {
      using limit = deadline(LEARN_TIMEOUT);
      await this.#validator.learn?.(record, limit.signal);
      verdict = this.#judge(record, type, sender);
    }
    // From here on nothing waits: what was judged is what is stored.
    if (verdict !== "ok") return verdict;
    const outcome = this.#storage.store(record, {
      owner: this.#answerable.of(record) ?? sender ?? this.#peerId,
    });
    if (outcome === "stored") this.#validator.stored?.(record, type, sender);
    const kept = await this.#kept(outcome);
    if (kept === "older") return "older";
    // Sent again after a lost answer: held is held.
    if (kept === "stored" || kept === "held") return "stored";
    this.#metrics.count("meshnode_dht_refused_records_total", { reason: kept });
    return kept;
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
