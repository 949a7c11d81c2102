import { deadline } from "../../core/deadline.ts";
import { MeshError } from "../../core/errors.ts";
import type { Bytes } from "../../core/bytes.ts";
import type { RecordPage } from "../../records/local_storage.ts";
import { PAGE_BOUNDS, type ReplicaService } from "../service.ts";
import type { StoreAnswer } from "../wire.ts";
import { encodeStoreAnswers } from "../wire.ts";
import { type Changes, KEEPALIVE } from "./changes.ts";
import type { Claims } from "./claims.ts";
import {
  type Change,
  decodeList,
  decodeStoreIf,
  decodeWatch,
  encodeChange,
  encodePage,
  type ListQuery,
  type StoreIf,
} from "./owner_wire.ts";

/** Most keys that one peer watches here. */
const MOST_OF_PEER = 64;
/** Most keys that are watched here by all peers together. */
const MOST_WATCHED = 1_024;

/** Our own replica, as owners use it: conditional stores, parts of dictionaries, changes. */
export class OwnerService {
  readonly #service: ReplicaService;
  readonly #changes: Changes;
  readonly #claims: Claims;
  readonly #peerId: string;
  readonly #watched = new Map<string, number>();
  #total = 0;

  /** Serves what the service holds, and tells its changes; `peerId` is our own. */
  constructor(
    service: ReplicaService,
    changes: Changes,
    claims: Claims,
    peerId: string,
  ) {
    this.#service = service;
    this.#changes = changes;
    this.#claims = claims;
    this.#peerId = peerId;
  }

  /**
   * Takes a step of a conditional store of a peer, our own when none is named.
   * `stored` says that it is done: the place is claimed, the record stored, or
   * nothing of it left here.
   */
  storeIf(call: StoreIf, sender: string = this.#peerId): Promise<StoreAnswer> {
    switch (call.step) {
      case "claim":
        return this.#claim(call, sender);
      case "settle":
        return this.#settle(call, sender);
      case "withdraw":
        return this.#withdraw(call, sender);
    }
  }

  async #claim(
    { record, expected }: StoreIf,
    sender: string,
  ): Promise<StoreAnswer> {
    const objection = await this.#service.preview(record, sender, expected);
    if (objection !== undefined) return objection;
    const outcome = this.#claims.claim(record, sender);
    if (outcome === "full") return "owner-full";
    return outcome === "taken" ? "conflict" : "stored";
  }

  async #settle(
    { record, expected }: StoreIf,
    sender: string,
  ): Promise<StoreAnswer> {
    if (!this.#claims.has(record, sender)) return "conflict";
    return await this.#service.store(record, "post", sender, {
      expected,
      onReplaced: (replaced) => this.#claims.settle(record, sender, replaced),
    });
  }

  async #withdraw({ record }: StoreIf, sender: string): Promise<StoreAnswer> {
    const right = this.#claims.withdraw(record, sender);
    if (!this.#service.has(record)) return "stored";
    if (right === undefined) return "conflict";
    const isBack = await this.#service.restore(record, right.replaced);
    return isBack ? "stored" : "storage-failed";
  }

  /** Part of what lives under a key. */
  page({ key, after, most }: ListQuery): RecordPage {
    const records = Math.min(most, PAGE_BOUNDS.records);
    return this.#service.page(key, { ...PAGE_BOUNDS, records }, after);
  }

  /**
   * What changes under a key: an empty list once it is watched, then changes
   * as they come, and an empty list whenever nothing came for some time.
   */
  async *watch(key: Uint8Array, signal: AbortSignal): AsyncGenerator<Change> {
    using watching = this.#changes.watch(key);
    yield [];
    while (!signal.aborted) {
      using limit = deadline(KEEPALIVE, signal);
      yield await watching.next(limit.signal);
    }
  }

  /** Answers `dht.store-if`. */
  async onStoreIf(body: Uint8Array, sender: string): Promise<Bytes> {
    return encodeStoreAnswers([
      await this.storeIf(decodeStoreIf(body), sender),
    ]);
  }

  /** Answers `dht.list`. */
  onList(body: Uint8Array): Bytes {
    return encodePage(this.page(decodeList(body)));
  }

  /** Answers `dht.watch`. */
  async *onWatch(
    body: Uint8Array,
    { peerId, signal }: {
      readonly peerId: string;
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<Bytes> {
    const key = decodeWatch(body);
    const watched = this.#watched.get(peerId) ?? 0;
    if (watched >= MOST_OF_PEER || this.#total >= MOST_WATCHED) {
      throw new MeshError(
        "TOO_MANY_WATCHED",
        "No more keys are watched here.",
        { hint: "End other watches first." },
      );
    }
    this.#watched.set(peerId, watched + 1);
    this.#total++;
    try {
      for await (const change of this.watch(key, signal)) {
        yield encodeChange(change);
      }
    } finally {
      this.#total--;
      const left = (this.#watched.get(peerId) ?? 1) - 1;
      if (left > 0) this.#watched.set(peerId, left);
      else this.#watched.delete(peerId);
    }
  }
}
