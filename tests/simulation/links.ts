import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

/** How long a peer that is silent is still taken to be there, ms. */
const SILENCE = 15_000;
/** Within how many milliseconds those who can reach each other again are connected. */
const REDIAL = { least: 200, most: 3_000 };
/** Likewise after a start. */
const ARRIVAL = { least: 20, most: 500 };

/** After so many milliseconds all are connected who can be; after a start, sooner. */
export const CONNECTED = REDIAL.most;
export const ARRIVED = ARRIVAL.most;

interface Link {
  /** From when messages pass; Infinity while they cannot. */
  passesFrom: number;
  /** Until when both believe that the other is there, although nothing passes. */
  seenUntil: number;
}

/** Who is connected to whom: nodes are down, cut off, or parted from each other. */
export class Links {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #peers: string[] = [];
  readonly #links = new Map<string, Link>();
  readonly #down = new Set<string>();
  /** Cuts overlap, and all of them must end. */
  readonly #cuts = new Map<string, number>();
  readonly #partitions = new Set<ReadonlyMap<string, number>>();
  /** Is told of two that are connected anew. */
  onConnected: (a: string, b: string) => void = () => {};
  /** When a partition last began or ended. */
  partedAt = -Infinity;

  /** Nobody is there at first. */
  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Adds a node, which is down. */
  add(peerId: string): void {
    for (const other of this.#peers) {
      this.#links.set(nameOf(peerId, other), {
        passesFrom: Infinity,
        seenUntil: 0,
      });
    }
    this.#peers.push(peerId);
    this.#down.add(peerId);
  }

  /** A node starts. */
  up(peerId: string): void {
    if (this.#down.delete(peerId)) this.#changed("start");
  }

  /** A node is killed. */
  kill(peerId: string): void {
    this.#down.add(peerId);
    this.#changed("death");
  }

  /** Cuts a node off from all others. Returns what ends it. */
  cut(peerId: string): () => void {
    this.#count(peerId, 1);
    this.#changed("silence");
    return () => {
      this.#count(peerId, -1);
      this.#changed("redial");
    };
  }

  /** Parts groups from each other. Returns what ends it. */
  part(groups: readonly (readonly string[])[]): () => void {
    const sides = new Map(
      groups.flatMap((group, side) => group.map((peerId) => [peerId, side])),
    );
    this.#partitions.add(sides);
    this.partedAt = this.#clock.now();
    this.#changed("silence");
    return () => {
      this.#partitions.delete(sides);
      this.partedAt = this.#clock.now();
      this.#changed("redial");
    };
  }

  /** Whether a node is cut off by itself. */
  isCut(peerId: string): boolean {
    return this.#cuts.has(peerId);
  }

  /** Whether messages pass between two, and did since some time. */
  passes(a: string, b: string, since = this.#clock.now()): boolean {
    return a === b || this.#of(a, b).passesFrom <= since;
  }

  /** The others that a node believes to be there. */
  members(peerId: string): string[] {
    const now = this.#clock.now();
    return this.#peers.filter((other) => {
      if (other === peerId) return false;
      const { passesFrom, seenUntil } = this.#of(peerId, other);
      return now >= passesFrom || now < seenUntil;
    });
  }

  #of(a: string, b: string): Link {
    return this.#links.get(nameOf(a, b)) as Link;
  }

  #count(peerId: string, change: number): void {
    const count = (this.#cuts.get(peerId) ?? 0) + change;
    if (count > 0) this.#cuts.set(peerId, count);
    else this.#cuts.delete(peerId);
  }

  #reaches(a: string, b: string): boolean {
    return [a, b].every((each) =>
      !this.#down.has(each) && !this.#cuts.has(each)
    ) && [...this.#partitions].every((sides) => sides.get(a) === sides.get(b));
  }

  #changed(cause: "start" | "death" | "silence" | "redial"): void {
    const now = this.#clock.now();
    this.#peers.forEach((a, i) => {
      for (const b of this.#peers.slice(0, i)) {
        const link = this.#of(a, b);
        const could = link.passesFrom < Infinity;
        const can = this.#reaches(a, b);
        if (can && !could) {
          const { least, most } = cause === "start" ? ARRIVAL : REDIAL;
          const after = this.#random.between(least, most);
          link.passesFrom = now + after;
          this.#clock.after(after, () => {
            if (this.passes(a, b)) this.onConnected(a, b);
          });
        } else if (could && !can) {
          const passed = link.passesFrom <= now;
          link.passesFrom = Infinity;
          link.seenUntil = cause === "silence" && passed ? now + SILENCE : now;
        } else if (cause === "death" && !can) link.seenUntil = now;
      }
    });
  }
}

function nameOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
