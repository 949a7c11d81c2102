import type { Metrics } from "../../core/metrics.ts";
import type { LocalStorage } from "../../records/local_storage.ts";
import type { DhtRecord } from "../../records/record.ts";
import { chunks } from "../batches.ts";
import type { Errand, ReplicaCalls } from "../replica_calls.ts";
import { fingerprint, joined, subkeyName, underKey } from "./fingerprint.ts";
import {
  COMPARE_LIMITS,
  decodeCompareAnswers,
  decodeRangeAnswer,
  encodeCompare,
  encodeRange,
  type KeyRange,
  type KeyState,
  type RecordState,
  REPAIR_METHODS,
} from "./repair_wire.ts";

/** Why copies are made. */
export type RepairCause = "read" | "change" | "sweep";

/** Copies in one call: the peer takes its time for them. */
const AT_ONCE = 64;

/** Gives other holders what they lack of what we hold, and nothing else. */
export class Syncer {
  readonly #storage: LocalStorage;
  readonly #replicas: ReplicaCalls;
  readonly #metrics: Metrics;

  /** Hands out copies of what the storage holds. */
  constructor(
    storage: LocalStorage,
    replicas: ReplicaCalls,
    metrics: Metrics,
  ) {
    this.#storage = storage;
    this.#replicas = replicas;
    this.#metrics = metrics;
  }

  /**
   * Compares a range of keys with a peer that should hold the same ones, first
   * as a whole; then completes its records. Gives the number of copies it took.
   */
  async syncRange(
    peerId: string,
    range: Pick<KeyRange, "after" | "last">,
    keys: readonly KeyState[],
    errand: Errand,
  ): Promise<number> {
    const whole = joined(
      keys.map((state) => underKey(state.key, state.fingerprint)),
    );
    const isSame = await this.#replicas.ask(
      peerId,
      REPAIR_METHODS.range,
      encodeRange({ ...range, fingerprint: whole }),
      decodeRangeAnswer,
      errand,
    );
    return isSame ? 0 : await this.sync(peerId, keys, "sweep", errand);
  }

  /** Completes a peer's records under some keys. Gives the number of copies it took. */
  async sync(
    peerId: string,
    keys: readonly KeyState[],
    cause: RepairCause,
    errand: Errand,
  ): Promise<number> {
    let taken = 0;
    for (const part of chunks(keys, COMPARE_LIMITS.keys)) {
      let left = part;
      while (left.length > 0) {
        const answers = await this.#replicas.ask(
          peerId,
          REPAIR_METHODS.compare,
          encodeCompare(left),
          (bytes) => decodeCompareAnswers(bytes, left.length),
          errand,
        );
        const missing = left.flatMap(({ key }, i) => {
          const theirs = answers[i];
          return typeof theirs === "object" ? this.#missing(key, theirs) : [];
        });
        taken += await this.copy(peerId, missing, cause, errand);
        const later = left.filter((_, i) => answers[i] === "later");
        // Somebody who puts everything off is not waited for.
        if (later.length === left.length) break;
        left = later;
      }
    }
    return taken;
  }

  /** Hands copies to a peer. Gives the number it took. */
  async copy(
    peerId: string,
    records: readonly DhtRecord[],
    cause: RepairCause,
    errand: Errand,
  ): Promise<number> {
    let taken = 0;
    // One after the other: the peer has other things to do.
    for (const batch of chunks(records, AT_ONCE)) {
      const answers = await this.#replicas.store(
        peerId,
        batch,
        errand,
        REPAIR_METHODS.copy,
      );
      for (const { outcome } of answers) {
        this.#metrics.count("meshnode_dht_copies_total", { cause, outcome });
        if (outcome === "stored") taken++;
      }
      if (answers.some(({ outcome }) => outcome === "unreachable")) break;
    }
    return taken;
  }

  /** What we hold under a key and a peer does not, or holds older. */
  #missing(key: Uint8Array, theirs: readonly RecordState[]): DhtRecord[] {
    const held = new Map(theirs.map((state) => [state.name, state]));
    return this.#storage.held(key).filter((record) => {
      const state = held.get(subkeyName(record.subkey));
      if (state === undefined) return true;
      return record.expiration === state.expiration
        // The rules of the storage decide which of the two stays.
        ? fingerprint(record) !== state.fingerprint
        : record.expiration > state.expiration;
    });
  }
}
