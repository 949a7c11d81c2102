import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { BLOCK, LENGTH, type SimChain } from "./sim_chain.ts";
import type { SimMesh } from "./sim_mesh.ts";
import type { SimNode } from "./sim_node.ts";

/** What goes wrong. */
export const FAULTS = [
  /** A node is killed, and started again within six blocks. */
  "kill",
  /** A node is killed right after a write to its journal. */
  "kill-at-write",
  /** A node is killed, and started again after more than an epoch. */
  "absence",
  /** A node leaves in good order, and comes back. */
  "leave",
  /** A node is cut off from all others. */
  "cut",
  /** Several nodes are cut off from all others, each alone. */
  "cuts",
  /** The nodes fall into two or three groups. */
  "partition",
  /** Messages get lost, take long and overtake each other, everywhere. */
  "weather",
  /** A node's chain is away. */
  "chain-away",
  /** The chain is away from all nodes. */
  "chain-outage",
  /** No block comes for a while. */
  "chain-halt",
  /** A node's calls get lost, or their receipts. */
  "calls",
  /** A node's calls are included a block late. */
  "late-calls",
  /** A node's clock is set, to another time within what is allowed. */
  "clock-step",
] as const;

/** See {@linkcode FAULTS}. */
export type Fault = typeof FAULTS[number];

/** Seconds by which two honest clocks may differ are twice this, ms. */
export const SKEW = 1_499;

/** The part of messages that get lost, above which nothing is owed. */
export const BAD_LOSS = 0.02;

/** Makes things go wrong, several at a time, at any moment of an epoch. */
export class Faults {
  readonly #nodes: readonly SimNode[];
  readonly #mesh: SimMesh;
  readonly #chain: SimChain;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #busyUntil: number[];
  readonly #ends = new Set<() => void>();
  #stopped = false;
  /** How often what happened. */
  readonly count = new Map<Fault, number>();
  /** When the weather was last bad. */
  badUntil = -Infinity;

  /** So many faults go on side by side. */
  constructor(
    parts: {
      readonly nodes: readonly SimNode[];
      readonly mesh: SimMesh;
      readonly chain: SimChain;
      readonly clock: VirtualClock;
      readonly random: SeededRandom;
    },
    width: number,
  ) {
    this.#nodes = parts.nodes;
    this.#mesh = parts.mesh;
    this.#chain = parts.chain;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#busyUntil = Array.from({ length: width }, () => 0);
  }

  /** Plans what goes wrong in an epoch, if anything. */
  plan(): void {
    const now = this.#clock.now();
    this.#busyUntil.forEach((until, i) => {
      if (now < until || !this.#random.happens(0.6)) return;
      const after = this.#random.between(0, LENGTH * BLOCK);
      const lasting = this.#random.between(500, 6 * BLOCK);
      this.#busyUntil[i] = now + after + lasting;
      const fault = this.#random.pick(FAULTS);
      const node = this.#random.pick(this.#nodes);
      this.#clock.after(after, () => this.#begin(fault, node, lasting));
    });
  }

  /** Nothing goes wrong from now on, and all that did is mended. */
  stop(): void {
    this.#stopped = true;
    for (const end of [...this.#ends]) end();
    for (const node of this.#nodes) {
      node.killAtWrite(Infinity, () => {});
      if (!node.isUp) node.start();
    }
  }

  #begin(fault: Fault, node: SimNode, lasting: number): void {
    if (this.#stopped) return;
    this.count.set(fault, (this.count.get(fault) ?? 0) + 1);
    const random = this.#random;
    const { faults } = node;
    switch (fault) {
      case "kill":
        return this.#kill(node, lasting);
      case "kill-at-write":
        return node.killAtWrite(
          1 + random.below(12),
          () => this.#kill(node, random.between(500, 2 * BLOCK)),
        );
      case "absence":
        return this.#kill(node, LENGTH * BLOCK * random.between(1, 2));
      case "leave":
        return this.#leave(node, lasting);
      case "cut":
        return this.#cut([node], lasting);
      case "cuts": {
        const most = this.#nodes.length;
        return this.#cut(
          random.sample(this.#nodes, 2 + random.below(most - 1)),
          lasting,
        );
      }
      case "partition": {
        const groups: string[][] = Array.from(
          { length: random.pick([2, 2, 3]) },
          () => [],
        );
        for (const { peerId } of this.#nodes) random.pick(groups).push(peerId);
        const long = random.happens(0.3) ? LENGTH * BLOCK : 0;
        return this.#until(lasting + long, this.#mesh.links.part(groups));
      }
      case "weather": {
        const { loss, delay } = this.#mesh;
        this.#mesh.loss = random.pick([loss, 0.1, 0.3]);
        this.#mesh.delay = random.pick([delay, 1_500]);
        if (this.#mesh.loss > BAD_LOSS) this.badUntil = Infinity;
        return this.#until(lasting, () => {
          this.#mesh.loss = loss;
          this.#mesh.delay = delay;
          this.badUntil = this.#clock.now();
        });
      }
      case "chain-away":
        return this.#away([node], lasting);
      case "chain-outage":
        return this.#away(this.#nodes, lasting);
      case "chain-halt":
        return this.#chain.halt(lasting);
      case "calls":
        faults.calls = random.pick(["lost-receipt", "dropped", "stale"]);
        return this.#until(lasting, () => faults.calls = undefined, node);
      case "late-calls":
        faults.late = 1;
        return this.#until(lasting, () => faults.late = 0, node);
      case "clock-step":
        if (node.lie !== "clock") node.skew = random.between(-SKEW, SKEW);
    }
  }

  #kill(node: SimNode, pause: number): void {
    if (!node.isUp) return;
    node.kill();
    this.#startAfter(node, pause);
  }

  #leave(node: SimNode, pause: number): void {
    if (!node.isUp) return;
    // It tells the others in its own time, and that may overlap its next life.
    const left = node.leave();
    this.#clock.after(pause, () => void left.then(() => this.#start(node)));
  }

  #startAfter(node: SimNode, pause: number): void {
    this.#clock.after(pause, () => this.#start(node));
  }

  #start(node: SimNode): void {
    if (!this.#stopped && !node.isUp) node.start();
  }

  #cut(nodes: readonly SimNode[], lasting: number): void {
    for (const node of nodes) {
      this.#until(lasting, this.#mesh.links.cut(node.peerId), node);
    }
  }

  #away(nodes: readonly SimNode[], lasting: number): void {
    for (const node of nodes) {
      node.faults.away++;
      this.#until(lasting, () => node.faults.away--, node);
    }
  }

  #until(lasting: number, mend: () => void, node?: SimNode): void {
    node?.noteFine();
    const end = () => {
      if (!this.#ends.delete(end)) return;
      mend();
      node?.noteFine();
    };
    this.#ends.add(end);
    this.#clock.after(lasting, end);
  }
}
