import { raceSignal } from "../core/deadline.ts";
import { operation } from "./operation.ts";
import type { DhtParts } from "./parts.ts";
import { type Progress, type Read, ReadRun } from "./read_run.ts";
import type { GetOptions } from "./types.ts";
import { majority } from "./writer.ts";

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
    const run = new ReadRun(this.#parts, all, options, {
      signal,
      onAsk: options.onAsk,
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
    if (options.latest) options.onHeard?.(run.isWhole);
  }

  #begin(
    { query, peers, merge }: Pick<Read, "query" | "peers" | "merge">,
  ): Progress {
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
      open: new Set(),
      hopeful: 0,
      late: 0,
      isDone: false,
    };
  }

  /** Ourselves first, then whoever answers fast, the silent last. */
  #order(peers: readonly string[]): string[] {
    const { peerId, book, clock } = this.#parts;
    const now = clock.now();
    return peers
      .map((peer) => ({
        peer,
        cost: peer === peerId ? -1 : book.expected(peer, now),
      }))
      .sort((a, b) => a.cost === b.cost ? 0 : a.cost - b.cost)
      .map(({ peer }) => peer);
  }
}
