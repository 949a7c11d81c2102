import type { Clock } from "../../core/clock.ts";
import type { Tasks } from "../../core/tasks.ts";
import type { KnownPeer } from "../../network/peer_list.ts";
import type { Neighbourhood } from "../neighbourhood.ts";
import { PATIENCE, type PeerBook } from "../peer_book.ts";
import type { Errand, ReplicaCalls } from "../replica_calls.ts";
import type { CallTrace } from "../types.ts";
import {
  CLOSEST,
  CLOSEST_LIMITS,
  decodeClosestPeers,
  encodeClosest,
} from "./lookup_wire.ts";

/** How a lookup goes about. */
export const LOOKUP = {
  /** Ways that share no peer, so that one liar misleads one of them. */
  paths: 3,
  /** Peers asked at once on each. */
  alpha: 2,
  /** Most peers asked on each. */
  perPath: 24,
  /** Peers that each is asked for. */
  width: CLOSEST_LIMITS.peers,
  /** So many times the slowest answer is waited for another: who is new has to be connected to. */
  patience: 4,
} as const;

/** What a {@linkcode Lookup} works with. */
export interface LookupParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** The peers that we know. */
  readonly neighbourhood: Neighbourhood;
  /** Asks peers. */
  readonly replicas: ReplicaCalls;
  /** Knows who is silent. */
  readonly book: PeerBook;
  /** The time. */
  readonly clock: Clock;
  /** Questions that nobody waits for any more. */
  readonly tasks: Tasks;
  /** Notes where peers can be reached. */
  readonly learn: (peers: readonly KnownPeer[]) => unknown;
}

/** Is told of a lookup's questions. */
export type Trace = Pick<Errand, "onAsk" | "onCall">;

/** One lookup. */
interface Course {
  readonly key: Uint8Array;
  readonly count: number;
  /** Ends the lookup. */
  readonly signal: AbortSignal;
  /** Ends its questions: what they teach about peers outlives it. */
  readonly stopping: AbortSignal;
  /** Who wants to see its questions. */
  readonly trace: Trace;
  readonly asked: Set<string>;
  readonly answered: Set<string>;
  /** Resolved with the first answer. */
  readonly begun: PromiseWithResolvers<void>;
  /** The longest that an answer took, ms. */
  slowest: number;
}

/**
 * Finds the peers nearest to a key step by step, from those that we know over
 * those that they know. For tables that do not hold the whole mesh: where they
 * do, no step is needed.
 *
 * A peer that is named and does not answer is none: only who answered is found.
 * Nobody waits for it, either: a silent one holds up nothing that others know.
 */
export class Lookup {
  readonly #parts: LookupParts;

  /** Works with the given parts. */
  constructor(parts: LookupParts) {
    this.#parts = parts;
  }

  /** The peers nearest to a key that answered, nearest first, ourselves included. */
  async nearest(
    key: Uint8Array,
    count: number,
    signal: AbortSignal,
    stopping: AbortSignal,
    trace: Trace = {},
  ): Promise<string[]> {
    const { neighbourhood, peerId } = this.#parts;
    const known = neighbourhood.nearest(key, LOOKUP.paths * LOOKUP.width)
      .filter((peer) => peer !== peerId);
    const course: Course = {
      ...{ key, count, signal, stopping, trace },
      asked: new Set([peerId]),
      answered: new Set([peerId]),
      begun: Promise.withResolvers(),
      slowest: 0,
    };
    // Neighbours start on different ways.
    const starts = Array.from(
      { length: LOOKUP.paths },
      (_, path) => known.filter((_, i) => i % LOOKUP.paths === path),
    );
    await Promise.all(starts.map((start) => this.#walk(start, course)));
    return neighbourhood.among(course.answered)(key, count);
  }

  /** Goes one way, until nobody nearer is left to ask. */
  async #walk(start: readonly string[], course: Course): Promise<void> {
    const { neighbourhood, book, tasks } = this.#parts;
    const { key, count, asked, answered, signal } = course;
    const failed = new Set<string>();
    const heard = new Set(start);
    const visit = async (peer: string) => {
      const named = await this.#ask(peer, course);
      if (named === undefined) {
        failed.add(peer);
        return;
      }
      answered.add(peer);
      named.forEach((each) => heard.add(each));
    };
    for (let left: number = LOOKUP.perPath; left > 0;) {
      const nearest = neighbourhood.among(heard)(key, heard.size)
        .filter((peer) => !failed.has(peer)).slice(0, Math.max(count, 1));
      const next = nearest.filter((peer) => !asked.has(peer))
        .slice(0, Math.min(LOOKUP.alpha, left));
      if (next.length === 0) return;
      left -= next.length;
      const awaited = next.flatMap((peer) => {
        asked.add(peer);
        const isSilent = book.isSilent(peer);
        const visiting = visit(peer);
        tasks.own(visiting);
        return isSilent ? [] : [visiting];
      });
      await this.#patiently(awaited, course);
      signal.throwIfAborted();
    }
  }

  /** Waits until all are done or, once somebody answered, take much longer than those who did. */
  async #patiently(
    visits: readonly Promise<void>[],
    course: Course,
  ): Promise<void> {
    const { clock } = this.#parts;
    const done = new AbortController();
    const late = course.begun.promise.then(() =>
      clock.sleep(
        Math.max(PATIENCE.firstHedge, LOOKUP.patience * course.slowest),
        done.signal,
      )
    ).catch(() => {});
    await Promise.race([Promise.all(visits), late]);
    done.abort();
  }

  /** Whom a peer names; `undefined` without an answer. */
  async #ask(
    peerId: string,
    course: Course,
  ): Promise<string[] | undefined> {
    const { neighbourhood, replicas, learn, clock } = this.#parts;
    const { key, stopping } = course;
    const { onAsk, onCall } = course.trace;
    const start = clock.now();
    let real: KnownPeer[] = [];
    let closer: number | undefined;
    const read = (bytes: Uint8Array) => {
      real = decodeClosestPeers(bytes)
        .filter((peer) => isPeerId(neighbourhood, peer.peerId));
      if (onCall === undefined) return;
      const named = real.map((peer) => peer.peerId);
      closer = neighbourhood.among([peerId, ...named])(key, Infinity)
        .indexOf(peerId);
    };
    const onEnd = (call: CallTrace) =>
      onCall?.({
        ...call,
        kind: "lookup",
        ...(closer === undefined ? {} : { closer }),
      });
    try {
      await replicas.ask(
        peerId,
        CLOSEST,
        encodeClosest({ key, count: LOOKUP.width }),
        read,
        { signal: stopping, onAsk, onCall: onEnd },
      );
    } catch {
      return undefined;
    }
    course.slowest = Math.max(course.slowest, clock.now() - start);
    course.begun.resolve();
    learn(real.filter((peer) => !neighbourhood.has(peer.peerId)));
    return real.map((peer) => peer.peerId);
  }
}

function isPeerId(neighbourhood: Neighbourhood, text: string): boolean {
  try {
    neighbourhood.placeOf(text);
    return true;
  } catch {
    return false;
  }
}
