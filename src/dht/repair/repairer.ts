import type { Clock } from "../../core/clock.ts";
import { loggerOf } from "../../core/log.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { LocalStorage } from "../../records/local_storage.ts";
import type { Neighbourhood } from "../neighbourhood.ts";
import type { PeerBook } from "../peer_book.ts";
import { type Change, MembershipWatch } from "./membership_watch.ts";
import { type Portion, portions } from "./portions.ts";
import type { KeyState } from "./repair_wire.ts";
import type { Syncer } from "./syncer.ts";

/** When a {@linkcode Repairer} does what. */
export const REPAIR = {
  /** How often it looks what there is to do, ms; one portion of a sweep each time. */
  tick: 500,
  /** Pauses between sweeps, ms: the first after a change, then twice as long each. */
  firstSweep: 15_000,
  lastSweep: 600_000,
  /** Peers that are completed at once. */
  atOnce: 4,
} as const;

/** Peers that are remembered as completed lately. */
const MOST_HURRIED = 1_024;

/** What a {@linkcode Repairer} works with. */
export interface RepairerParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** What we hold. */
  readonly storage: LocalStorage;
  /** Compares and copies. */
  readonly syncer: Syncer;
  /** Who holds what. */
  readonly neighbourhood: Neighbourhood;
  /** Who answers. */
  readonly book: PeerBook;
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
  /** How many peers hold a record. */
  readonly numReplicas: number;
}

/**
 * Keeps as many copies of each record as there should be.
 *
 * When peers come or go, the nearest holder that was there all along completes
 * those that became holders. What slips through is found by sweeps: holders
 * compare fingerprints of what they should both have.
 */
export class Repairer {
  readonly #parts: RepairerParts;
  readonly #watch = new MembershipWatch();
  readonly #log = loggerOf("dht");
  /** Sweeps of different nodes do not fall together. */
  readonly #jitter: number;
  #sweep: Iterator<Portion> | undefined;
  #sweepAt = Infinity;
  #pause: number = REPAIR.firstSweep;
  /** Whether peers came or went since the sweep began. */
  #hasChanged = false;
  /** Who took copies in this sweep. */
  #takers = new Set<string>();
  /** For whom sweeps were made to follow sooner already: nobody's word keeps everybody at work. */
  readonly #hurried = new Set<string>();

  /** Works with the given parts. */
  constructor(parts: RepairerParts) {
    this.#parts = parts;
    const [first = 0] = parts.neighbourhood.placeOf(parts.peerId);
    this.#jitter = 0.75 + first / 512;
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      try {
        await clock.sleep(REPAIR.tick, signal);
        await this.#step(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error("Repairing failed: {error}", { error });
      }
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { clock, neighbourhood, peerId } = this.#parts;
    const others = neighbourhood.peers().filter((peer) => peer !== peerId);
    const change = this.#watch.look(others, clock.now());
    if (change !== undefined) {
      this.#hasChanged = true;
      // Peers that come and go without end put no sweep off.
      if (this.#sweep === undefined) {
        this.#sweepAt = Math.min(this.#sweepAt, this.#after(REPAIR.firstSweep));
      }
      return await this.#follow(change, signal);
    }
    if (this.#sweep === undefined && clock.now() >= this.#sweepAt) {
      this.#sweep = portions(this.#parts.storage);
      this.#takers.clear();
      this.#hasChanged = false;
    }
    const portion = this.#sweep?.next();
    if (portion === undefined) return;
    if (!portion.done) return await this.#compare(portion.value, signal);
    this.#sweep = undefined;
    this.#pause = this.#isNews() || this.#hasChanged
      ? REPAIR.firstSweep
      : Math.min(2 * this.#pause, REPAIR.lastSweep);
    this.#sweepAt = this.#after(this.#pause);
  }

  #after(pause: number): number {
    return this.#parts.clock.now() + this.#jitter * pause;
  }

  /** Whether the last sweep completed somebody who was not completed lately. */
  #isNews(): boolean {
    const isCalm = this.#takers.size === 0 && this.#pause === REPAIR.lastSweep;
    if (isCalm || this.#hurried.size > MOST_HURRIED) this.#hurried.clear();
    const before = this.#hurried.size;
    for (const peer of this.#takers) this.#hurried.add(peer);
    return this.#hurried.size > before;
  }

  /** Completes those that became holders, where we are the first to see to it. */
  async #follow(change: Change, signal: AbortSignal): Promise<void> {
    const { neighbourhood, numReplicas, storage, syncer, peerId } = this.#parts;
    const { fresh } = change;
    const before = neighbourhood.among([peerId, ...change.before]);
    const after = neighbourhood.among([peerId, ...change.after]);
    const calm = neighbourhood.among(
      [peerId, ...change.after.filter((peer) => !fresh.has(peer))],
    );
    for (const { keys } of portions(storage)) {
      const wanting = new Map<string, KeyState[]>();
      for (const state of keys) {
        if (calm(state.key, 1)[0] !== peerId) continue;
        const old = before(state.key, numReplicas);
        for (const peer of after(state.key, numReplicas)) {
          if (peer === peerId) continue;
          if (fresh.has(peer) || !old.includes(peer)) add(wanting, peer, state);
        }
      }
      await this.#each(
        wanting,
        (peer, states) => syncer.sync(peer, states, "change", { signal }),
      );
      signal.throwIfAborted();
    }
  }

  /** Compares a portion with everybody who should hold some of it. */
  async #compare(portion: Portion, signal: AbortSignal): Promise<void> {
    const { neighbourhood, numReplicas, syncer, peerId } = this.#parts;
    const shared = new Map<string, KeyState[]>();
    const strays = new Map<string, KeyState[]>();
    for (const state of portion.keys) {
      const replicas = neighbourhood.nearest(state.key, numReplicas);
      if (replicas.includes(peerId)) {
        for (const peer of replicas) {
          if (peer !== peerId) add(shared, peer, state);
        }
      } else if (replicas[0] !== undefined) {
        // Ours from before others came nearer: one of them must have it.
        add(strays, replicas[0], state);
      }
    }
    await this.#each(
      shared,
      (peer, states) => syncer.syncRange(peer, portion, states, { signal }),
    );
    await this.#each(
      strays,
      (peer, states) => syncer.sync(peer, states, "sweep", { signal }),
    );
  }

  /** Works through peers, a few at once; one that fails is left to the next sweep. */
  async #each(
    work: ReadonlyMap<string, readonly KeyState[]>,
    act: (peer: string, states: readonly KeyState[]) => Promise<number>,
  ): Promise<void> {
    const { book, metrics } = this.#parts;
    const queue = work.entries();
    const worker = async () => {
      for (const [peer, states] of queue) {
        if (book.isSilent(peer)) continue;
        try {
          if (await act(peer, states) > 0) this.#takers.add(peer);
        } catch (error) {
          metrics.count("meshnode_dht_failed_repairs_total");
          this.#log.debug("{peer} could not be completed: {error}", {
            peer,
            error,
          });
        }
      }
    };
    await Promise.all(Array.from({ length: REPAIR.atOnce }, worker));
  }
}

function add(
  to: Map<string, KeyState[]>,
  peer: string,
  state: KeyState,
): void {
  const states = to.get(peer);
  if (states === undefined) to.set(peer, [state]);
  else states.push(state);
}
