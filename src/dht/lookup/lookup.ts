import type { KnownPeer } from "../../network/peer_list.ts";
import type { Neighbourhood } from "../neighbourhood.ts";
import type { ReplicaCalls } from "../replica_calls.ts";
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
} as const;

/** What a {@linkcode Lookup} works with. */
export interface LookupParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** The peers that we know. */
  readonly neighbourhood: Neighbourhood;
  /** Asks peers. */
  readonly replicas: ReplicaCalls;
  /** Notes where peers can be reached. */
  readonly learn: (peers: readonly KnownPeer[]) => Promise<unknown>;
}

/**
 * Finds the peers nearest to a key step by step, from those that we know over
 * those that they know. For tables that do not hold the whole mesh: where they
 * do, no step is needed.
 *
 * A peer that is named and does not answer is none: only who answered is found.
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
  ): Promise<string[]> {
    const { neighbourhood, peerId } = this.#parts;
    const known = neighbourhood.nearest(key, LOOKUP.paths * LOOKUP.width)
      .filter((peer) => peer !== peerId);
    const answered = new Set([peerId]);
    const asked = new Set([peerId]);
    // Neighbours start on different ways.
    const starts = Array.from(
      { length: LOOKUP.paths },
      (_, path) => known.filter((_, i) => i % LOOKUP.paths === path),
    );
    await Promise.all(
      starts.map((start) =>
        this.#walk(key, count, start, asked, answered, signal)
      ),
    );
    return neighbourhood.among(answered)(key, count);
  }

  /** Goes one way, until nobody nearer is left to ask. */
  async #walk(
    key: Uint8Array,
    count: number,
    start: readonly string[],
    asked: Set<string>,
    answered: Set<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { neighbourhood } = this.#parts;
    const failed = new Set<string>();
    const heard = new Set(start);
    for (let left: number = LOOKUP.perPath; left > 0;) {
      const nearest = neighbourhood.among(heard)(key, heard.size)
        .filter((peer) => !failed.has(peer)).slice(0, Math.max(count, 1));
      const next = nearest.filter((peer) => !asked.has(peer))
        .slice(0, Math.min(LOOKUP.alpha, left));
      if (next.length === 0) return;
      left -= next.length;
      next.forEach((peer) => asked.add(peer));
      await Promise.all(next.map(async (peer) => {
        const named = await this.#ask(peer, key, signal);
        if (named === undefined) {
          failed.add(peer);
          return;
        }
        answered.add(peer);
        named.forEach((each) => heard.add(each));
      }));
      signal.throwIfAborted();
    }
  }

  /** Whom a peer names; `undefined` without an answer. */
  async #ask(
    peerId: string,
    key: Uint8Array,
    signal: AbortSignal,
  ): Promise<string[] | undefined> {
    const { neighbourhood, replicas, learn } = this.#parts;
    let named: KnownPeer[];
    try {
      named = await replicas.ask(
        peerId,
        CLOSEST,
        encodeClosest({ key, count: LOOKUP.width }),
        decodeClosestPeers,
        { signal },
      );
    } catch {
      return undefined;
    }
    const real = named.filter((peer) => isPeerId(neighbourhood, peer.peerId));
    await learn(real.filter((peer) => !neighbourhood.has(peer.peerId)));
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
