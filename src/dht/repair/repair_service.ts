import { compare, equal, toHex } from "../../core/bytes.ts";
import type { LocalStorage } from "../../records/local_storage.ts";
import type { DhtRecord } from "../../records/record.ts";
import type { ReplicaService } from "../service.ts";
import { decodeStore, encodeStoreAnswers } from "../wire.ts";
import { fingerprint, joined, subkeyName, underKey } from "./fingerprint.ts";
import {
  COMPARE_LIMITS,
  decodeCompare,
  decodeRange,
  encodeCompareAnswers,
  encodeRangeAnswer,
  type KeyAnswer,
  type KeyRange,
  type KeyState,
  type RecordState,
} from "./repair_wire.ts";

/** Most records looked at for one range; a longer one counts as different. */
const MOST_SCANNED = 4_096;

/** What a {@linkcode RepairService} works with. */
export interface RepairServiceParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** What we hold. */
  readonly storage: LocalStorage;
  /** Judges and stores copies. */
  readonly service: ReplicaService;
  /** Whether a peer is a member now. */
  readonly isMember: (peerId: string) => boolean;
  /** Who holds a key. */
  readonly replicasOf: (key: Uint8Array) => readonly string[];
}

/** Answers holders who compare what they have with what we have. */
export class RepairService {
  readonly #parts: RepairServiceParts;

  /** Works with the given parts. */
  constructor(parts: RepairServiceParts) {
    this.#parts = parts;
  }

  /** Answers `dht.range`: whether both hold the same of what both should hold. */
  onRange(body: Uint8Array, caller: string): Uint8Array {
    return encodeRangeAnswer(this.#isSame(decodeRange(body), caller));
  }

  /** Answers `dht.compare`. */
  onCompare(body: Uint8Array): Uint8Array {
    let told = 0;
    return encodeCompareAnswers(
      decodeCompare(body).map((state) => {
        if (told > COMPARE_LIMITS.records) return "later";
        const answer = this.#compare(state);
        if (typeof answer !== "string") told += answer.length;
        return answer;
      }),
    );
  }

  /** Answers `dht.copy`: stores what a member hands over, under the rules for copies. */
  async onCopy(body: Uint8Array, caller: string): Promise<Uint8Array> {
    const records = decodeStore(body);
    const { service, isMember } = this.#parts;
    if (!isMember(caller)) {
      return encodeStoreAnswers(records.map(() => "refused"));
    }
    return encodeStoreAnswers(
      await service.storeAll(records, "copy", caller),
    );
  }

  #isSame({ after, last, fingerprint: theirs }: KeyRange, caller: string) {
    const { storage, replicasOf, peerId } = this.#parts;
    const shared = new Map<string, { key: Uint8Array; records: bigint }>();
    let scanned = 0;
    const none = new Uint8Array();
    for (const record of storage.scan({ key: after, subkey: none })) {
      if (compare(record.key, last) > 0) break;
      if (equal(record.key, after)) continue;
      if (++scanned > MOST_SCANNED) return false;
      const name = toHex(record.key);
      let entry = shared.get(name);
      if (entry === undefined) {
        entry = { key: record.key, records: 0n };
        shared.set(name, entry);
      }
      entry.records ^= fingerprint(record);
    }
    const ours: bigint[] = [];
    for (const { key, records } of shared.values()) {
      const replicas = replicasOf(key);
      if (replicas.includes(caller) && replicas.includes(peerId)) {
        ours.push(underKey(key, records));
      }
    }
    return joined(ours) === theirs;
  }

  #compare({ key, fingerprint: theirs }: KeyState): KeyAnswer {
    const records = this.#parts.storage.held(key);
    if (joined(records.map(fingerprint)) === theirs) return "same";
    return records.map(stateOf);
  }
}

function stateOf(record: DhtRecord): RecordState {
  return {
    name: subkeyName(record.subkey),
    expiration: record.expiration,
    fingerprint: fingerprint(record),
  };
}
