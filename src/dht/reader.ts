import type { DhtParts } from "./parts.ts";
import { raceSignal } from "../core/deadline.ts";
import type { DhtRecord } from "../records/record.ts";
import { chunks } from "./batches.ts";
import type { Merge } from "./merge.ts";
import { operation } from "./operation.ts";
import { PATIENCE } from "./peer_book.ts";
import { repeat } from "./repeat.ts";
import type { Errand } from "./replica_calls.ts";
import type { GetOptions } from "./types.ts";
import { type FindQuery, WIRE_LIMITS } from "./wire.ts";
import { majority } from "./writer.ts";

/** What one replica holds of a key. */
export interface HeldBy {
  /** Base58. */
  readonly peerId: string;
  /** Its records, unchecked. */
  readonly records: readonly DhtRecord[];
}

/** A key being read. */
export interface Read {
  /** What is asked for. */
  readonly query: FindQuery;
  /** Who may hold it: the replicas, then the next nearest. */
  readonly peers: readonly string[];
  /** Its replicas, nearest first. */
  readonly replicas: readonly string[];
  /** How many of them there are. */
  readonly wanted: number;
  /** What was found so far. */
  readonly merge: Merge;
  /** The answers so far. */
  readonly answers: HeldBy[];
}

interface Progress extends Read {
  /** How many replicas a dictionary must be heard from. */
  readonly quorum: number;
  asked: number;
  /** Who was asked and has not answered. */
  readonly open: Set<string>;
  isDone: boolean;
}

/**
 * Reads records from their replicas.
 *
 * A plain value answers a read as soon as one valid copy is there, and so do
 * named subkeys once each of them is. A whole dictionary is complete when so
 * many replicas were heard that at least one of them took part in any store
 * that succeeded. A read of the latest hears everybody, but does not wait for
 * those who are silent once so many replicas were heard.
 */
export class Reader {
  readonly #parts: DhtParts;

  /** Works with the given parts. */
  constructor(parts: DhtParts) {
    this.#parts = parts;
  }

  /**
   * Reads keys; `peers` are those nearest to each, nearest first. The promise
   * is for the answer, or for what there is of it when `enough` says so;
   * `onHeard` is told of all reads when the last call that was made for them
   * has ended.
   */
  async read(
    reads: readonly Pick<Read, "query" | "peers" | "merge">[],
    options: GetOptions,
    stopping: AbortSignal,
    onHeard: (reads: readonly Read[]) => void,
  ): Promise<void> {
    const { tasks } = this.#parts;
    const life = operation(stopping, options.signal);
    const { signal } = life;
    const all = reads.map((read) => this.#begin(read));
    const run = new ReadRun(this.#parts, all, options.latest ?? false, {
      signal,
      onCall: options.onCall,
    });
    tasks.own(
      run.work().then(() => {
        if (!signal.aborted) onHeard(all);
      }).finally(() => life[Symbol.dispose]()),
    );
    const { enough } = options;
    const suffice = () => run.suffice();
    if (enough?.aborted) suffice();
    enough?.addEventListener("abort", suffice, { once: true });
    try {
      await raceSignal(run.done, signal);
    } finally {
      enough?.removeEventListener("abort", suffice);
    }
    life.answered();
  }

  #begin({ query, peers, merge }: Pick<Read, "query" | "peers" | "merge">) {
    const { numReplicas, writeQuorum } = this.#parts;
    const wanted = Math.min(numReplicas, peers.length);
    const written = Math.min(wanted, writeQuorum ?? majority(wanted));
    return {
      query,
      merge,
      wanted,
      replicas: peers.slice(0, wanted),
      peers: [
        ...this.#order(peers.slice(0, wanted)),
        ...this.#order(peers.slice(wanted)),
      ],
      answers: [],
      quorum: wanted - written + 1,
      asked: 0,
      open: new Set<string>(),
      isDone: false,
    };
  }

  /** Ourselves first, then whoever answers fast, the silent last. */
  #order(peers: readonly string[]): string[] {
    const { peerId, book } = this.#parts;
    return peers
      .map((peer) => ({
        peer,
        cost: peer === peerId
          ? -1
          : book.isSilent(peer)
          ? Infinity
          : book.rtt(peer),
      }))
      .sort((a, b) => a.cost === b.cost ? 0 : a.cost - b.cost)
      .map(({ peer }) => peer);
  }
}

/** The calls of one read, until the last of them ended. */
class ReadRun {
  readonly #parts: DhtParts;
  readonly #reads: readonly Progress[];
  readonly #latest: boolean;
  readonly #errand: Errand;
  readonly #done = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Aborted when nobody waits for the answer any more. */
  readonly #waiting = new AbortController();
  /** Resolved when every read heard as many replicas as a dictionary needs. */
  readonly #quorate = Promise.withResolvers<void>();
  /** Whether a read of the latest waits for those who are slow. */
  #isPatient = true;
  #undone: number;
  #open = 0;

  constructor(
    parts: DhtParts,
    reads: readonly Progress[],
    latest: boolean,
    errand: Errand,
  ) {
    this.#parts = parts;
    this.#reads = reads;
    this.#latest = latest;
    this.#errand = errand;
    this.#undone = reads.length;
  }

  /** Resolves when every read has its answer. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  async work(): Promise<void> {
    if (this.#undone === 0) this.#done.resolve();
    else {
      this.#ask(this.#reads, (read) => this.#more(read));
      await Promise.all([
        this.#ended.promise,
        this.#latest ? this.#outwait() : this.#hedge(),
      ]);
    }
  }

  /** Makes what was found so far the answer. */
  suffice(): void {
    for (const read of this.#reads) {
      if (!read.isDone) this.#finish(read);
    }
  }

  /**
   * Waits for the slow as long again as all took who were needed, and at least
   * as long as they may take before another is asked elsewhere.
   */
  async #outwait(): Promise<void> {
    const { book, clock } = this.#parts;
    const start = clock.now();
    await this.#quorate.promise;
    const took = clock.now() - start;
    const least = Math.max(
      PATIENCE.firstHedge,
      ...this.#reads.flatMap((read) =>
        this.#awaited(read).map((peer) => book.hedge(peer))
      ),
    );
    await repeat(
      clock,
      () => Math.max(took, least - took),
      () => {
        this.#isPatient = false;
        for (const read of this.#reads) this.#settle(read);
      },
      this.#waiting.signal,
    );
  }

  /** Who is worth waiting for. */
  #awaited({ open }: Progress): string[] {
    return [...open].filter((peer) => !this.#parts.book.isSilent(peer));
  }

  /** Asks somebody else as well whenever the answers take long. */
  async #hedge(): Promise<void> {
    const { book, clock } = this.#parts;
    const pause = Math.max(
      ...this.#reads.flatMap(({ peers, asked }) =>
        peers.slice(0, asked).map((peer) => book.hedge(peer))
      ),
    );
    await repeat(
      clock,
      () => pause,
      () => this.#ask(this.#reads, ({ isDone }) => isDone ? 0 : 1),
      this.#waiting.signal,
    );
  }

  /** How many more peers a read asks now. */
  #more(
    { isDone, peers, wanted, quorum, answers, merge, asked, open }: Progress,
  ) {
    if (isDone) return 0;
    if (this.#latest) return peers.length;
    if (answers.length === 0) return open.size > 0 ? 0 : 1;
    if (!merge.isEmpty) return quorum - answers.length - open.size;
    // Nobody had it so far: the other replicas at once, then the next nearest,
    // who may hold it from before others came.
    if (asked < wanted) return wanted - asked;
    return open.size > 0 ? 0 : peers.length;
  }

  #ask(reads: readonly Progress[], more: (read: Progress) => number): void {
    const batches = new Map<string, Progress[]>();
    for (const read of reads) {
      for (let left = more(read); left > 0; left--) {
        const peer = read.peers[read.asked];
        if (peer === undefined) break;
        read.asked++;
        read.open.add(peer);
        const batch = batches.get(peer);
        if (batch === undefined) batches.set(peer, [read]);
        else batch.push(read);
      }
    }
    for (const [peer, batch] of batches) {
      for (const part of chunks(batch, WIRE_LIMITS.keys)) {
        this.#open++;
        this.#parts.tasks.own(this.#find(peer, part));
      }
    }
  }

  async #find(peerId: string, reads: readonly Progress[]): Promise<void> {
    const { service, replicas } = this.#parts;
    const queries = reads.map(({ query }) => query);
    const found = peerId === this.#parts.peerId
      ? queries.map((query) => service.find(query))
      : await replicas.find(peerId, queries, this.#errand);
    reads.forEach((read, i) => {
      read.open.delete(peerId);
      const records = found?.[i];
      if (records === undefined) return;
      read.answers.push({ peerId, records });
      for (const record of records) read.merge.add(record);
    });
    for (const read of reads) this.#settle(read);
    if (!this.#errand.signal?.aborted) {
      this.#ask(reads, (read) => this.#more(read));
    }
    for (const read of reads) this.#settle(read);
    if (this.#reads.every((read) => read.isDone || isQuorate(read))) {
      this.#quorate.resolve();
    }
    if (--this.#open === 0) this.#ended.resolve();
  }

  #settle(read: Progress): void {
    if (!read.isDone && this.#suffices(read)) this.#finish(read);
  }

  #finish(read: Progress): void {
    read.isDone = true;
    if (--this.#undone > 0) return;
    this.#done.resolve();
    this.#quorate.resolve();
    this.#waiting.abort(DONE);
  }

  #suffices(read: Progress): boolean {
    const { query, quorum, answers, merge, peers, asked, open } = read;
    const isOver = asked >= peers.length || this.#errand.signal?.aborted;
    if (open.size === 0 && isOver) return true;
    if (this.#latest) {
      return isQuorate(read) &&
        !(this.#isPatient && this.#awaited(read).length > 0);
    }
    if (merge.isEmpty) return false;
    return merge.hasPlain || answers.length >= quorum ||
      (query.subkeys !== undefined && merge.size >= query.subkeys.length);
  }
}

const DONE = new Error("The read is answered.");

/** Whether so many replicas were heard that any store that succeeded is seen. */
function isQuorate({ answers, replicas, quorum }: Progress): boolean {
  return answers.filter(({ peerId }) => replicas.includes(peerId)).length >=
    quorum;
}
