import type { Clock } from "../core/clock.ts";
import type { PeerBook } from "./peer_book.ts";
import type { ReplicaCalls } from "./replica_calls.ts";
import { repeat } from "./repeat.ts";
import type { Tasks } from "../core/tasks.ts";

/** How often the prober looks whose time has come, ms. */
const TICK = 500;
/** Peers probed at once. */
const MOST = 8;

/** Asks silent peers for a sign of life, so that nobody's read has to find out. */
export class Prober {
  readonly #book: PeerBook;
  readonly #replicas: ReplicaCalls;
  readonly #peers: () => readonly string[];
  readonly #probing = new Set<string>();

  /** Probes those of the peers that the book calls silent. */
  constructor(
    book: PeerBook,
    replicas: ReplicaCalls,
    peers: () => readonly string[],
  ) {
    this.#book = book;
    this.#replicas = replicas;
    this.#peers = peers;
  }

  /** Works until the signal is aborted. */
  async run(clock: Clock, tasks: Tasks, signal: AbortSignal): Promise<void> {
    await repeat(clock, () => TICK, () => {
      for (const peerId of this.#book.due(this.#peers(), clock.now())) {
        if (this.#probing.size >= MOST) return;
        if (!this.#probing.has(peerId)) {
          tasks.own(this.#probe(peerId, signal));
        }
      }
    }, signal);
  }

  async #probe(peerId: string, signal: AbortSignal): Promise<void> {
    this.#probing.add(peerId);
    try {
      await this.#replicas.ping(peerId, { signal });
    } catch {
      // The book knows, and says when to try again.
    } finally {
      this.#probing.delete(peerId);
    }
  }
}
