import { equal } from "../../core/bytes.ts";
import { deadline } from "../../core/deadline.ts";
import { isExpected } from "../../records/digest.ts";
import type { DhtRecord } from "../../records/record.ts";
import { Merge } from "../merge.ts";
import { type Answer, answerOf, type Errand } from "../replica_calls.ts";
import type { ReplicaAnswer, ReplicaOutcome, StoreResult } from "../types.ts";
import { decodeStoreAnswers } from "../wire.ts";
import { majority } from "../writer.ts";
import type { OwnerToolsParts } from "./owner_tools.ts";
import { encodeStoreIf, OWNER_METHODS, type StoreStep } from "./owner_wire.ts";

const HEARD = new Error("Enough replicas were heard.");

/**
 * Stores a record where the one of the expected digest is held, or none for
 * `null`.
 *
 * 1. A majority of the replicas is asked what they hold: when its newest is
 *    something else, nothing is written, however far one of them is behind.
 * 2. The record's place is claimed, at the nearest replica that can be reached
 *    first, which decides between those who write at the same time. Nobody sees
 *    a claim; it ends by itself after a few seconds.
 * 3. Once a majority of the replicas is claimed, the record is stored there. As
 *    each takes one successor only, at most one of several writers succeeds,
 *    and who does not get that far leaves nothing anywhere.
 * 4. Where fewer than a majority store it after all, since the mesh broke in
 *    between, they are told to put back what they held.
 */
export class ConditionalStore {
  readonly #parts: OwnerToolsParts;
  readonly #record: DhtRecord;
  readonly #expected: Uint8Array | null;
  readonly #peers: readonly string[];
  readonly #quorum: number;
  readonly #answers = new Map<string, Answer>();

  /** Stores at these replicas, nearest first. */
  constructor(
    parts: OwnerToolsParts,
    record: DhtRecord,
    expected: Uint8Array | null,
    peers: readonly string[],
  ) {
    this.#parts = parts;
    this.#record = record;
    this.#expected = expected;
    this.#peers = peers;
    this.#quorum = majority(peers.length);
  }

  /**
   * Takes the steps. Whoever asked for it can end it until a majority is
   * claimed; what comes after that ends with the node only.
   */
  async run(errand: Errand, stopping: AbortSignal): Promise<StoreResult> {
    const held = await this.#look(errand);
    errand.signal?.throwIfAborted();
    if (!isExpected(this.#newest(held.values()), this.#expected)) {
      this.#note(this.#peers.filter((peer) => this.#isOther(peer, held)), {
        outcome: "conflict",
      });
      return this.#result(false);
    }
    if (held.size < this.#quorum) {
      const unheard = this.#peers.filter((peer) => !held.has(peer));
      this.#note(unheard, { outcome: "unreachable" });
      return this.#result(false);
    }
    const life = { ...errand, signal: stopping };
    await this.#claim(held, errand);
    const claimed = this.#with("stored");
    if (errand.signal?.aborted || claimed.length < this.#quorum) {
      // Who was not heard forgets the claim by itself.
      await this.#withdraw(claimed, life);
      errand.signal?.throwIfAborted();
      this.#note(claimed, { outcome: "withdrawn" });
      return this.#result(false);
    }
    await this.#take("settle", claimed, life);
    if (this.#with("stored").length >= this.#quorum) return this.#result(false);
    const mayHold = claimed.filter((peer) => {
      const outcome = this.#answers.get(peer)?.outcome;
      return outcome === "stored" || outcome === "unreachable";
    });
    const withdrawn = new Set(await this.#withdraw(claimed, life));
    const gone = mayHold.filter((peer) => withdrawn.has(peer));
    this.#note(gone, { outcome: "withdrawn" });
    return this.#result(gone.length < mayHold.length);
  }

  /** What so many replicas hold in the record's place as are needed; nobody else is waited for. */
  async #look(
    errand: Errand,
  ): Promise<ReadonlyMap<string, DhtRecord | undefined>> {
    const { service, replicas } = this.#parts;
    const { key, subkey } = this.#record;
    const heard = new AbortController();
    using life = deadline(Infinity, errand.signal, heard.signal);
    const query = { key, subkeys: [subkey] };
    const held = new Map<string, DhtRecord | undefined>();
    await Promise.all(this.#peers.map(async (peerId) => {
      const records = peerId === this.#parts.peerId
        ? service.find(query)
        : (await replicas.find(peerId, [query], {
          ...errand,
          signal: life.signal,
        }))?.[0];
      if (records === undefined || life.signal.aborted) return;
      held.set(
        peerId,
        this.#newest(records.filter((each) => equal(each.subkey, subkey))),
      );
      if (held.size >= this.#quorum) heard.abort(HEARD);
    }));
    return held;
  }

  /** The newest valid one of the place's records. */
  #newest(records: Iterable<DhtRecord | undefined>): DhtRecord | undefined {
    const { service, validator, metrics } = this.#parts;
    const merge = new Merge(service, validator, metrics);
    for (const record of records) if (record !== undefined) merge.add(record);
    return merge.records[0];
  }

  /** Claims the nearest, and once it is claimed, all others. */
  async #claim(
    held: ReadonlyMap<string, DhtRecord | undefined>,
    errand: Errand,
  ): Promise<void> {
    const isBehind = (peer: string) => this.#isOther(peer, held);
    // Who is behind has nothing to decide.
    this.#note(this.#peers.filter(isBehind), { outcome: "conflict" });
    const others = this.#peers.filter((peer) => !isBehind(peer));
    for (let next = others.shift(); next !== undefined; next = others.shift()) {
      await this.#take("claim", [next], errand);
      if (errand.signal?.aborted) return;
      const outcome = this.#answers.get(next)?.outcome;
      if (outcome === "unreachable") continue;
      if (outcome === "stored") await this.#take("claim", others, errand);
      return;
    }
  }

  /** Takes what is claimed or stored back; gives those who have nothing of it any more. */
  async #withdraw(
    peers: readonly string[],
    errand: Errand,
  ): Promise<string[]> {
    const gone = await Promise.all(peers.map(async (peer) => {
      const { outcome } = await this.#takeAt("withdraw", peer, errand);
      return outcome === "stored" ? [peer] : [];
    }));
    return gone.flat();
  }

  /** Takes a step at some replicas, and notes what they say. */
  async #take(
    step: StoreStep,
    peers: readonly string[],
    errand: Errand,
  ): Promise<void> {
    await Promise.all(peers.map(async (peer) => {
      this.#answers.set(peer, await this.#takeAt(step, peer, errand));
    }));
  }

  async #takeAt(
    step: StoreStep,
    peerId: string,
    errand: Errand,
  ): Promise<Answer> {
    const { owners, replicas } = this.#parts;
    const call = { step, record: this.#record, expected: this.#expected };
    if (peerId === this.#parts.peerId) {
      return answerOf(await owners.storeIf(call));
    }
    try {
      return await replicas.ask(
        peerId,
        OWNER_METHODS.storeIf,
        encodeStoreIf(call),
        (bytes) => answerOf(decodeStoreAnswers(bytes, 1)[0] ?? "refused"),
        errand,
      );
    } catch {
      return { outcome: "unreachable" };
    }
  }

  #note(peers: readonly string[], answer: Answer): void {
    for (const peer of peers) this.#answers.set(peer, answer);
  }

  /** Whose answer was this one. */
  #with(outcome: ReplicaOutcome): string[] {
    return this.#peers.filter((peer) =>
      this.#answers.get(peer)?.outcome === outcome
    );
  }

  /** Whether a peer was heard to hold something else than was expected. */
  #isOther(
    peer: string,
    held: ReadonlyMap<string, DhtRecord | undefined>,
  ): boolean {
    return held.has(peer) && !isExpected(held.get(peer), this.#expected);
  }

  #result(isUncertain: boolean): StoreResult {
    const stored = this.#with("stored").length >= this.#quorum;
    this.#parts.metrics.count("meshnode_dht_conditional_puts_total", {
      outcome: stored ? "stored" : isUncertain ? "uncertain" : "failed",
    });
    return {
      stored,
      quorum: this.#quorum,
      replicas: this.#peers.flatMap((peerId): ReplicaAnswer[] => {
        const answer = this.#answers.get(peerId);
        return answer === undefined ? [] : [{ peerId, ...answer }];
      }),
      ...(isUncertain ? { isUncertain } : {}),
    };
  }
}
