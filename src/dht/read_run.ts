import type { DhtRecord } from "../records/record.ts";
import { chunks } from "./batches.ts";
import type { Merge } from "./merge.ts";
import type { DhtParts } from "./parts.ts";
import { PATIENCE } from "./peer_book.ts";
import { repeat } from "./repeat.ts";
import type { Errand } from "./replica_calls.ts";
import type { GetOptions } from "./types.ts";
import { type FindQuery, WIRE_LIMITS } from "./wire.ts";

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

/** How far a read is. */
export interface Progress extends Read {
  /** How many replicas a dictionary must be heard from. */
  readonly quorum: number;
  asked: number;
  /** Who was asked and has not answered. */
  readonly open: Set<string>;
  /** How many of the open calls are likely to be answered: neither late nor to silent peers. */
  hopeful: number;
  /** How many calls were late. */
  late: number;
  isDone: boolean;
}

/** A call that is under way. */
interface Call {
  readonly reads: readonly Progress[];
  /** When it is late, and somebody else is asked as well, ms. */
  readonly lateAt: number;
  isHopeful: boolean;
}

/** The calls of one read, until the last of them ended. */
export class ReadRun {
  readonly #parts: DhtParts;
  readonly #reads: readonly Progress[];
  readonly #latest: boolean;
  readonly #patience: number;
  readonly #errand: Errand;
  readonly #done = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** Aborted when nobody waits for the answer any more. */
  readonly #waiting = new AbortController();
  /** Resolved when every read heard as many replicas as a dictionary needs. */
  readonly #quorate = Promise.withResolvers<void>();
  readonly #open = new Set<Call>();
  /** Whether a read of the latest waits for those who are slow. */
  #isPatient = true;
  #isEnough = false;
  #undone: number;

  /** Asks in the order of each read's peers. */
  constructor(
    parts: DhtParts,
    reads: readonly Progress[],
    { latest = false, patience = PATIENCE.firstHedge }: GetOptions,
    errand: Errand,
  ) {
    this.#parts = parts;
    this.#reads = reads;
    this.#latest = latest;
    this.#patience = patience;
    this.#errand = errand;
    this.#undone = reads.length;
  }

  /** Resolves when every read has its answer. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Whether so many replicas were heard that any store that succeeded is seen. */
  get isWhole(): boolean {
    return this.#reads.every(isQuorate);
  }

  /** Asks, until the last call ended. */
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

  /** Makes what was found so far the answer, and what is held here. */
  suffice(): void {
    this.#isEnough = true;
    for (const read of this.#reads) this.#settle(read);
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
      this.#patience,
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
    return [...open].filter((peer) => !this.#isSilent(peer));
  }

  /** Asks others as well for each answer that takes long: one, then two, then three more. */
  async #hedge(): Promise<void> {
    const { clock } = this.#parts;
    const act = () => {
      const now = clock.now();
      for (const call of this.#open) {
        if (!call.isHopeful || call.lateAt > now) continue;
        this.#giveUp(call);
        this.#ask(
          call.reads,
          (read) => read.isDone ? 0 : Math.max(++read.late, this.#more(read)),
        );
      }
    };
    const { signal } = this.#waiting;
    await repeat(clock, () => PATIENCE.minHedge, act, signal);
  }

  /** Expects nothing of a call any more, which may still bring something. */
  #giveUp(call: Call): void {
    if (!call.isHopeful) return;
    call.isHopeful = false;
    for (const read of call.reads) read.hopeful--;
  }

  /** How many more peers a read asks now, besides silent ones. */
  #more(
    { isDone, peers, wanted, quorum, answers, merge, asked, hopeful }: Progress,
  ) {
    if (isDone) return 0;
    if (this.#latest) return peers.length;
    if (answers.length === 0) return hopeful > 0 ? 0 : 1;
    if (!merge.isEmpty) return quorum - answers.length - hopeful;
    // Nobody had it so far: the other replicas at once, then the next nearest,
    // who may hold it from before others came.
    if (asked < wanted) return wanted - asked;
    return hopeful > 0 ? 0 : peers.length;
  }

  #ask(reads: readonly Progress[], more: (read: Progress) => number): void {
    const batches = new Map<string, Progress[]>();
    for (const read of reads) {
      for (const peer of this.#next(read, more(read))) {
        const batch = batches.get(peer);
        if (batch === undefined) batches.set(peer, [read]);
        else batch.push(read);
      }
    }
    for (const [peer, batch] of batches) {
      for (const part of chunks(batch, WIRE_LIMITS.keys)) {
        this.#parts.tasks.own(this.#find(peer, part));
      }
    }
  }

  /** Whom a read asks next: so many peers, and the silent ones among them besides. */
  #next(read: Progress, count: number): string[] {
    const { book } = this.#parts;
    const next: string[] = [];
    for (let left = count; left > 0;) {
      const peer = read.peers[read.asked];
      if (peer === undefined) break;
      read.asked++;
      const isSilent = this.#isSilent(peer);
      // One call shows whether it speaks again; only who found nothing, or wants
      // the latest, needs all.
      const spares = !this.#latest && !read.merge.isEmpty;
      if (spares && isSilent && book.isAsked(peer)) continue;
      read.open.add(peer);
      next.push(peer);
      if (isSilent) continue;
      read.hopeful++;
      left--;
    }
    return next;
  }

  #isSilent(peer: string): boolean {
    return peer !== this.#parts.peerId && this.#parts.book.isSilent(peer);
  }

  async #find(peerId: string, reads: readonly Progress[]): Promise<void> {
    const { service, replicas, book, clock } = this.#parts;
    const queries = reads.map(({ query }) => query);
    const call: Call = {
      reads,
      lateAt: clock.now() + book.hedge(peerId),
      isHopeful: !this.#isSilent(peerId),
    };
    this.#open.add(call);
    // Our own answer waits, too, until all others are asked.
    const found =
      await (peerId === this.#parts.peerId
        ? queries.map((query) => service.find(query))
        : replicas.find(peerId, queries, this.#errand));
    this.#open.delete(call);
    this.#giveUp(call);
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
    if (this.#open.size === 0) this.#ended.resolve();
  }

  #settle(read: Progress): void {
    if (read.isDone || !this.#suffices(read)) return;
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
    if (this.#isEnough && !open.has(this.#parts.peerId)) return true;
    if (this.#latest) {
      return isQuorate(read) &&
        !(this.#isPatient && this.#awaited(read).length > 0);
    }
    if (merge.isEmpty) return false;
    return merge.hasPlain || answers.length >= quorum ||
      (query.subkeys !== undefined && merge.hasAll(query.subkeys));
  }
}

const DONE = new Error("The read is answered.");

/** Whether so many replicas were heard that any store that succeeded is seen. */
function isQuorate({ answers, replicas, quorum }: Progress): boolean {
  return answers.filter(({ peerId }) => replicas.includes(peerId)).length >=
    quorum;
}
