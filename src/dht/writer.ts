import type { DhtParts } from "./parts.ts";
import { raceSignal } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import type { DhtRecord } from "../records/record.ts";
import { operation } from "./operation.ts";
import { PATIENCE } from "./peer_book.ts";
import { repeat } from "./repeat.ts";
import { type Answer, answerOf, type Errand } from "./replica_calls.ts";
import type { PutOptions, ReplicaAnswer, StoreResult } from "./types.ts";

/** One record on its way to its replicas. */
interface Write {
  readonly record: DhtRecord;
  /** The peers nearest to it; those after the first `asked` are stand-ins. */
  readonly peers: readonly string[];
  readonly wanted: number;
  readonly quorum: number;
  readonly answers: Map<string, ReplicaAnswer>;
  /** Whether it has its quorum, or nobody is left to ask. */
  isDecided: boolean;
  asked: number;
  open: number;
  stored: number;
}

/** Brings records to their replicas. */
export class Writer {
  readonly #parts: DhtParts;

  /** Works with the given parts. */
  constructor(parts: DhtParts) {
    this.#parts = parts;
  }

  /**
   * Stores each record at the peers nearest to its key, which are given nearest
   * first. One that cannot be reached is replaced by the next nearest, and one
   * that is slow or silent gets a stand-in.
   *
   * Resolves once every record has its quorum, or nobody is left to ask; the
   * other answers are still awaited by the tasks.
   */
  async store(
    records: readonly DhtRecord[],
    peers: readonly (readonly string[])[],
    options: PutOptions,
    stopping: AbortSignal,
  ): Promise<StoreResult[]> {
    const { numReplicas, tasks } = this.#parts;
    const quorum = checkedQuorum(options.writeQuorum, numReplicas) ??
      this.#parts.writeQuorum;
    const writes = records.map((record, i): Write => {
      const candidates = peers[i] ?? [];
      const wanted = Math.min(numReplicas, candidates.length);
      return {
        record,
        peers: candidates,
        wanted,
        quorum: quorum ?? majority(wanted),
        answers: new Map(),
        isDecided: false,
        asked: 0,
        open: 0,
        stored: 0,
      };
    });
    const life = operation(stopping, options.signal);
    const { signal } = life;
    const run = new WriteRun(this.#parts, writes, {
      signal,
      onAsk: options.onAsk,
      onCall: options.onCall,
    });
    const done = run.work().finally(() => life[Symbol.dispose]());
    tasks.own(done);
    await raceSignal(options.awaitAll ? done : run.decided, signal);
    life.answered();
    return writes.map(resultOf);
  }
}

/** A quorum that so many replicas can reach. @throws {MeshError} `QUORUM_INVALID` */
export function checkedQuorum(
  quorum: number | undefined,
  replicas: number,
): number | undefined {
  if (
    quorum === undefined ||
    (Number.isInteger(quorum) && quorum >= 1 && quorum <= replicas)
  ) return quorum;
  throw new MeshError(
    "QUORUM_INVALID",
    `A write quorum of ${quorum} is none of ${replicas} replicas.`,
    { hint: `Give a whole number from 1 to ${replicas}, or none.` },
  );
}

/** More than half of so many replicas. */
export function majority(replicas: number): number {
  return Math.floor(replicas / 2) + 1;
}

/** The calls of one store, until the last of them ended. */
class WriteRun {
  readonly #parts: DhtParts;
  readonly #writes: readonly Write[];
  readonly #errand: Errand;
  readonly #decided = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #waiting = new AbortController();
  #undecided: number;
  #open = 0;

  constructor(parts: DhtParts, writes: readonly Write[], errand: Errand) {
    this.#parts = parts;
    this.#writes = writes;
    this.#errand = errand;
    this.#undecided = writes.length;
  }

  /** Resolves when every write is decided. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  async work(): Promise<void> {
    if (this.#undecided === 0) return this.#decided.resolve();
    const { book, clock } = this.#parts;
    this.#ask(this.#writes, (write) => {
      const silent = write.peers.slice(0, write.wanted)
        .filter((peer) => book.isSilent(peer)).length;
      return write.wanted + silent;
    });
    const standIns = repeat(
      clock,
      () => PATIENCE.maxHedge,
      () => this.#ask(this.#writes, ({ isDecided }) => isDecided ? 0 : 1),
      this.#waiting.signal,
    );
    await Promise.all([this.#ended.promise, standIns]);
  }

  /** Asks so many more peers for each of the writes; what one peer is to hold travels together. */
  #ask(writes: readonly Write[], more: (write: Write) => number): void {
    const batches = new Map<string, Write[]>();
    for (const write of writes) {
      for (let left = more(write); left > 0; left--) {
        const peer = write.peers[write.asked];
        if (peer === undefined) break;
        write.asked++;
        write.open++;
        const batch = batches.get(peer);
        if (batch === undefined) batches.set(peer, [write]);
        else batch.push(write);
      }
    }
    this.#open += batches.size;
    for (const [peer, batch] of batches) {
      this.#parts.tasks.own(this.#store(peer, batch));
    }
  }

  async #store(peerId: string, writes: readonly Write[]): Promise<void> {
    const records = writes.map(({ record }) => record);
    const answers = await this.#storeAt(peerId, records);
    writes.forEach((write, i) => {
      const answer = answers[i] ?? { outcome: "unreachable" as const };
      write.answers.set(peerId, { peerId, ...answer });
      write.open--;
      if (answer.outcome === "stored") write.stored++;
    });
    if (!this.#errand.signal?.aborted) {
      this.#ask(writes, (write) => write.wanted - reached(write) - write.open);
    }
    for (const write of writes) this.#decide(write);
    if (--this.#open === 0) this.#ended.resolve();
  }

  async #storeAt(
    peerId: string,
    records: readonly DhtRecord[],
  ): Promise<Answer[]> {
    const { service, replicas } = this.#parts;
    if (peerId !== this.#parts.peerId) {
      return await replicas.store(peerId, records, this.#errand);
    }
    const answers = records.map((record) => service.store(record));
    return (await Promise.all(answers)).map(answerOf);
  }

  #decide(write: Write): void {
    if (write.isDecided || (write.stored < write.quorum && write.open > 0)) {
      return;
    }
    write.isDecided = true;
    if (--this.#undecided > 0) return;
    this.#decided.resolve();
    this.#waiting.abort(DECIDED);
  }
}

const DECIDED = new Error("The store is decided.");

function reached({ answers }: Write): number {
  let count = 0;
  for (const { outcome } of answers.values()) {
    if (outcome !== "unreachable") count++;
  }
  return count;
}

function resultOf({ peers, answers, stored, quorum }: Write): StoreResult {
  return {
    stored: stored >= quorum,
    quorum,
    replicas: peers.flatMap((peer) => answers.get(peer) ?? []),
  };
}
