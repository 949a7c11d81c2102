import { compare, toHex } from "../core/bytes.ts";
import type { Metrics } from "../core/metrics.ts";
import { recordDigest } from "../records/digest.ts";
import {
  type DhtRecord,
  isPlain,
  NO_SUBKEY,
  supersedes,
} from "../records/record.ts";
import { decode } from "../records/serializer.ts";
import { isTombstone } from "../records/tombstone.ts";
import type { RecordValidator } from "../validation/validator.ts";
import type { ReplicaService } from "./service.ts";
import type { Found, FoundEntry } from "./types.ts";

const PLAIN = toHex(NO_SUBKEY);

/**
 * What the replicas of one key hold together: the newest valid record of each
 * subkey. One bad record hides nothing but itself.
 */
export class Merge {
  readonly #records = new Map<string, DhtRecord>();
  readonly #service: ReplicaService;
  readonly #validator: RecordValidator;
  readonly #metrics: Metrics;

  /** Takes in only what the service's rules accept on a read. */
  constructor(
    service: ReplicaService,
    validator: RecordValidator,
    metrics: Metrics,
  ) {
    this.#service = service;
    this.#validator = validator;
    this.#metrics = metrics;
  }

  /** Whether nothing was found. */
  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  /** Whether a plain record was found that is not deleted. */
  get hasPlain(): boolean {
    const plain = this.#records.get(PLAIN);
    return plain !== undefined && !isTombstone(plain);
  }

  /** Whether each of these subkeys was found, if only to be deleted. */
  hasAll(subkeys: readonly Uint8Array[]): boolean {
    return subkeys.every((subkey) => this.#records.has(toHex(subkey)));
  }

  /** The newest valid records. */
  get records(): readonly DhtRecord[] {
    return [...this.#records.values()];
  }

  /** Takes a record in if it is newer than what was found so far, and valid. */
  add(record: DhtRecord): void {
    const subkey = toHex(record.subkey);
    const present = this.#records.get(subkey);
    // Copies of the same record are not verified anew.
    if (present !== undefined && !supersedes(record, present)) return;
    if (this.#service.isValid(record, "get")) {
      this.#records.set(subkey, record);
    } else {
      this.#metrics.count("meshnode_dht_invalid_records_total");
    }
  }

  /** What lives under the key, with digests if they are wanted. */
  found(digests = false): Found | undefined {
    const records = [...this.#records.values()]
      .filter((record) => !isTombstone(record));
    const plain = records.find(isPlain);
    const items = records.filter((record) => !isPlain(record));
    const latest = Math.max(...items.map(({ expiration }) => expiration));
    // The storage's rule: a plain record holds only when it outlives all items.
    if (plain !== undefined && plain.expiration > latest) {
      const [opened] = this.#open(plain, digests);
      return opened && { kind: "plain", ...valueOf(opened) };
    }
    const entries = items
      .sort((a, b) => compare(a.subkey, b.subkey))
      .flatMap((record) => this.#open(record, digests));
    return entries.length === 0 ? undefined : { kind: "dictionary", entries };
  }

  #open(record: DhtRecord, digests: boolean): FoundEntry[] {
    try {
      return [{
        subkeyBytes: record.subkey,
        subkey: decode(record.subkey),
        value: decode(this.#validator.stripValue(record)),
        expiration: record.expiration,
        ...(digests ? { digest: recordDigest(record) } : {}),
      }];
    } catch {
      this.#metrics.count("meshnode_dht_undecodable_records_total");
      return [];
    }
  }
}

function valueOf({ subkey: _, subkeyBytes: __, ...value }: FoundEntry) {
  return value;
}
