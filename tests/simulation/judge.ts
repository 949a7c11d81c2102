import {
  commitKey,
  type ConsensusSubmission,
  epochPosition,
  type NodeScore,
  ONE,
  revealKey,
} from "../../mod.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { BAD_LOSS, type Faults } from "./faults.ts";
import { ARRIVED, CONNECTED } from "./links.ts";
import type { Lie } from "./lies.ts";
import { BLOCK, LENGTH, type SimChain, SLOT } from "./sim_chain.ts";
import { type SimMesh, TIMEOUT } from "./sim_mesh.ts";
import type { SimNode } from "./sim_node.ts";

/** What was seen of all that had to be. */
export interface Counts {
  /** Epochs that had to reach quorum, as enough honest nodes were connected. */
  owed: number;
  /** Epochs that did. */
  reached: number;
  /** Reveals that had to come, and came. */
  reveals: number;
  /** Nodes that were there, and had to be paid for it. */
  present: number;
  /** Nodes whose clock is wrong that were asked whether they say so, and do. */
  wrongClocks: number;
}

/** 66 %. */
const QUORUM = 0.66;
/** Block of an epoch at which votes must be there, and reveals. */
const VOTED = 9;
const REVEALED = 12;
/** How long a node must have been fine to owe a vote, ms. */
const SETTLED = 3 * BLOCK;
/** Who scores as nobody else does, or cannot tell the time, owes none. */
const STRANGE: readonly (Lie | undefined)[] = ["scores", "clock"];
/** Who never opens their own commit must not be paid for it. */
const IDLERS: readonly (Lie | undefined)[] = ["copies", "withholds"];
/** Peers that a clock's monitor asks for. */
const WITNESSES = 3;

/** Holds what must always be against what is. */
export class Judge {
  readonly #nodes: readonly SimNode[];
  readonly #chain: SimChain;
  readonly #mesh: SimMesh;
  readonly #clock: VirtualClock;
  readonly #faults: Faults;
  #cutOffAt: number;
  /** What must never be, and was. */
  readonly violations: string[];
  /** See {@linkcode Counts}. */
  readonly counts: Counts = {
    owed: 0,
    reached: 0,
    reveals: 0,
    present: 0,
    wrongClocks: 0,
  };

  constructor(parts: {
    readonly nodes: readonly SimNode[];
    readonly chain: SimChain;
    readonly mesh: SimMesh;
    readonly clock: VirtualClock;
    readonly faults: Faults;
    readonly violations: string[];
  }) {
    this.#nodes = parts.nodes;
    this.#chain = parts.chain;
    this.#mesh = parts.mesh;
    this.#clock = parts.clock;
    this.#faults = parts.faults;
    this.violations = parts.violations;
    this.#cutOffAt = parts.clock.now();
  }

  /** Looks at what a block brings to an end. */
  onBlock(height: number): void {
    const { epoch, elapsed, beforeSlot } = epochPosition(height, SLOT, LENGTH);
    if (beforeSlot) return;
    if (elapsed === VOTED) {
      this.#votes(epoch);
      this.#pay(epoch);
    }
    if (elapsed === REVEALED) {
      this.#reveals(epoch);
      this.#cutOffAt = this.#clock.now();
    }
    if (elapsed === LENGTH - 1) this.#clocks();
  }

  /** After some epochs in which nothing went wrong, everybody honest votes. */
  recovered(epoch: number): void {
    const submission = this.#chain.submission(epoch);
    const proposer = this.#nodes.find(({ id }) =>
      id === this.#chain.elected(epoch)
    );
    if (STRANGE.includes(proposer?.lie)) return;
    for (const { id, lie } of this.#nodes) {
      if (STRANGE.includes(lie) || submission?.attestations.has(id)) continue;
      this.#violated(
        `node ${id} does not vote in epoch ${epoch}, although all is well: ` +
          this.#told(epoch),
      );
    }
  }

  #votes(epoch: number): void {
    const submission = this.#chain.submission(epoch);
    const size = submission?.attestations.size ?? 0;
    const reached = this.#isQuorum(size);
    if (reached) this.counts.reached++;
    const since = this.#cutOffAt - SETTLED;
    if (
      epoch === 0 || this.#faults.badUntil > since ||
      this.#mesh.loss > BAD_LOSS ||
      !this.#isQuorum(this.#connected(epoch, since).length)
    ) return;
    this.counts.owed++;
    if (reached) return;
    this.#violated(
      `epoch ${epoch} has ${size} of ${this.#nodes.length}, proposed by ` +
        `${submission?.validatorId}, elected ${this.#chain.elected(epoch)}: ` +
        this.#told(epoch),
    );
  }

  /** The honest nodes that have been connected to each other and the elected one. */
  #connected(epoch: number, since: number): SimNode[] {
    const { links } = this.#mesh;
    // Who meets again while votes are due has lived in two worlds.
    if (links.partedAt + CONNECTED > since) return [];
    const able = this.#nodes.filter((node) =>
      !STRANGE.includes(node.lie) && isFine(node, since)
    );
    const elected = able.find(({ id }) => id === this.#chain.elected(epoch));
    if (elected === undefined) return [];
    return able.filter(({ peerId }) =>
      links.passes(elected.peerId, peerId, since)
    );
  }

  #pay(epoch: number): void {
    const submission = this.#chain.submission(epoch);
    if (!this.#isQuorum(submission?.attestations.size ?? 0)) return;
    const { scores } = submission as ConsensusSubmission;
    this.#presence(epoch, scores);
    const idlers = this.#nodes.filter(({ lie }) => IDLERS.includes(lie));
    for (const { nodeId, score } of scores) {
      const idler = idlers.find(({ id }) => id === nodeId);
      if (idler === undefined || score <= ONE) continue;
      this.#violated(
        `node ${nodeId}, which ${idler.lie}, is paid for its work in epoch ${epoch}`,
      );
    }
  }

  /** Whoever was there is paid for it. */
  #presence(epoch: number, scores: readonly NodeScore[]): void {
    const since = this.#cutOffAt - SETTLED;
    const listed = new Set(scores.map(({ nodeId }) => nodeId));
    for (const { id } of this.#connected(epoch, since)) {
      this.counts.present++;
      if (listed.has(id)) continue;
      this.#violated(
        `node ${id} was there, and epoch ${epoch} does not pay it`,
      );
    }
  }

  #reveals(epoch: number): void {
    const { loss } = this.#mesh;
    const quick = this.#quick();
    const now = this.#clock.now();
    if (this.#faults.badUntil > now - quick || loss > BAD_LOSS) return;
    for (const node of this.#nodes) {
      const { peerId, id, lie, fineSince = Infinity } = node;
      const owes = lie === undefined && fineSince <= now - quick &&
        this.#mesh.holders(commitKey(epoch), peerId) > 0 &&
        this.#hasCompany(node, now - quick);
      if (!owes) continue;
      this.counts.reveals++;
      if (this.#mesh.holders(revealKey(epoch), peerId) > 0) continue;
      this.#violated(
        `node ${id} did not reveal in epoch ${epoch}, fine since ` +
          `${fineSince - now} ms:\n  ${node.history(epoch)}`,
      );
    }
  }

  /** How long a node must be there to reveal: one second, and the ways of its messages. */
  #quick(): number {
    const { loss, delay } = this.#mesh;
    // What gets lost is sent again with the next block.
    return 1_000 + ARRIVED + 4 * delay + (loss > 0 ? BLOCK : 0);
  }

  /** Whether another one with the same chain has been there to take a record. */
  #hasCompany({ peerId, bornAt }: SimNode, since: number): boolean {
    const { links } = this.#mesh;
    return this.#nodes.some((other) => {
      if (other.peerId === peerId || other.lie === "clock") return false;
      // Who calls into the void first waits until that has failed.
      const isFresh = links.passes(peerId, other.peerId, bornAt + ARRIVED);
      const from = isFresh ? since : since - TIMEOUT - 1_000;
      return isFine(other, from) && links.passes(peerId, other.peerId, from);
    });
  }

  #clocks(): void {
    const since = this.#clock.now() - LENGTH * BLOCK / 2;
    for (const node of this.#nodes) {
      const { id, lie, skew, isClockOff } = node;
      const witnesses = this.#nodes.filter((other) =>
        other !== node && other.lie !== "clock" && other.isUp &&
        this.#mesh.links.passes(node.peerId, other.peerId, since)
      );
      if (lie === "clock") {
        if (!isFine(node, since) || witnesses.length < WITNESSES) continue;
        this.counts.wrongClocks++;
        if (isClockOff) continue;
        this.#violated(`node ${id} is off by ${skew} ms, and does not say so`);
      } else if (isClockOff) {
        this.#violated(`node ${id} says its clock is wrong, off by ${skew} ms`);
      }
    }
  }

  #isQuorum(count: number): boolean {
    return count >= QUORUM * this.#nodes.length;
  }

  #told(epoch: number): string {
    return this.#nodes.map(({ id, lie, outcomes }) =>
      `${id}${lie === undefined ? "" : ` (${lie})`}: ${
        JSON.stringify(outcomes.get(epoch), text)
      }`
    ).join(" ");
  }

  #violated(what: string): void {
    this.violations.push(what);
  }
}

function isFine({ fineSince = Infinity }: SimNode, since: number): boolean {
  return fineSince <= since;
}

function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) / 1e18 : value;
}
