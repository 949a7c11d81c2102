import {
  commitKey,
  epochPosition,
  identityFromSeed,
  ONE,
  revealKey,
} from "../../mod.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { BLOCK, LENGTH, SimChain, SLOT } from "./sim_chain.ts";
import { SimMesh } from "./sim_mesh.ts";
import { type Lie, SimNode } from "./sim_node.ts";

/** What a run came to. */
export interface WorldResult {
  readonly seed: number;
  /** Epochs that passed. */
  readonly epochs: number;
  /** Those that had to reach quorum, as enough honest nodes were connected. */
  readonly owed: number;
  /** Those that did. */
  readonly reached: number;
  /** Reveals that had to come, and came. */
  readonly reveals: number;
  /** Kills, and the events at whose writing they came. */
  readonly kills: number;
  readonly diedAt: ReadonlySet<string>;
  /** What must never be, and was. */
  readonly violations: readonly string[];
}

const GENESIS = 1_700_000_000_000;
const LIES: readonly Lie[] = ["scores", "copies", "late", "withholds"];
/** 66 %. */
const QUORUM = 0.66;
/** Block of an epoch at which reveals must be there, and at which votes must. */
const REVEALED = 12;
const VOTED = 9;
/** How long a node must have been fine to owe anything, ms. */
const SETTLED = 3 * BLOCK;

/** Some nodes, some of them liars, in bad weather, for some epochs. All follows from the seed. */
export async function runWorld(
  seed: number,
  epochs: number,
): Promise<WorldResult> {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock();
  const chain = new SimChain(clock, random);
  const mesh = new SimMesh(clock, random, () => {
    const { epoch, elapsed } = epochPosition(chain.height, SLOT, LENGTH);
    return { epoch, elapsed };
  });
  mesh.loss = random.pick([0, 0.003, 0.01]);
  mesh.delay = random.pick([50, 300, 900]);
  chain.lateness = random.pick([0, 4_000]);
  const count = 3 + random.below(4);
  const liars = Math.floor(count / 3);
  const violations: string[] = [];
  const nodes = Array.from({ length: count }, (_, i) => {
    const identity = identityFromSeed(random.bytes(32));
    mesh.add(identity.peerId);
    return new SimNode({
      ...{ identity, chain, mesh, clock, random },
      hotkey: `0x${i + 1}`,
      id: i + 1,
      lie: i < liars ? random.pick(LIES) : undefined,
      skew: random.between(-1_500, 1_500),
      violated: (what) => violations.push(what),
    });
  });
  chain.nodes = nodes.map((node) => ({
    id: node.id,
    hotkey: `0x${node.id}`,
    coldkey: "0x",
    peer: { peerId: node.peerId, multiaddr: undefined },
    bootnode: undefined,
    client: undefined,
    nodeClass: "validator",
    startEpoch: 0,
    stake: 0n,
    reputation: ONE,
  }));
  chain.doubled = (id) => violations.push(`node ${id} proposed twice`);
  const faults = new Faults(nodes, mesh, clock, random);
  const counted = { owed: 0, reached: 0, reveals: 0 };
  let cutOffAt = clock.now();
  chain.onBlock = (height) => {
    const { epoch, elapsed, beforeSlot } = epochPosition(height, SLOT, LENGTH);
    if (beforeSlot) return;
    if (elapsed === 0) faults.plan();
    if (elapsed === VOTED) checkVotes(epoch);
    if (elapsed === REVEALED) {
      checkReveals(epoch);
      cutOffAt = clock.now();
    }
    if (elapsed === LENGTH - 1) mesh.forget(epoch - 2);
  };
  const fine = (node: SimNode, since: number) =>
    node.fineSince !== undefined && node.fineSince <= since;
  const checkVotes = (epoch: number) => {
    const submission = chain.submission(epoch);
    const size = submission?.attestations.size ?? 0;
    const reached = size >= QUORUM * nodes.length;
    if (reached) counted.reached++;
    const honest = nodes.filter((node) =>
      node.lie !== "scores" && fine(node, cutOffAt - SETTLED)
    );
    const elected = chain.elected(epoch);
    if (
      epoch === 0 || faults.reconnectedAt > cutOffAt - SETTLED ||
      honest.length < QUORUM * nodes.length ||
      !honest.some(({ id }) => id === elected)
    ) return;
    counted.owed++;
    if (reached) return;
    const told = honest.map(({ id, outcomes }) =>
      `${id}: ${JSON.stringify(outcomes.get(epoch), text)}`
    );
    violations.push(
      `epoch ${epoch} has ${size} of ${nodes.length}, proposed by ` +
        `${submission?.validatorId}, elected ${elected}: ${told.join(" ")}`,
    );
  };
  const checkReveals = (epoch: number) => {
    for (const node of nodes) {
      const { peerId, id, lie, fineSince } = node;
      // Up for one block of the window, and for the way of the messages.
      const since = clock.now() - BLOCK - 2 * mesh.delay;
      if (lie !== undefined || fineSince === undefined || fineSince > since) {
        continue;
      }
      if (mesh.holders(commitKey(epoch), peerId) === 0) continue;
      counted.reveals++;
      if (mesh.holders(revealKey(epoch), peerId) > 0) continue;
      violations.push(
        `node ${id} did not reveal in epoch ${epoch}, fine since ${
          (fineSince - GENESIS) / BLOCK
        }:\n  ${node.history(epoch)}`,
      );
    }
  };
  for (const node of nodes) node.start();
  await clock.advance((SLOT + epochs * LENGTH) * BLOCK);
  faults.stop();
  const ended = Promise.all(nodes.map((node) => node.end()));
  await clock.advance(10 * BLOCK);
  await ended;
  return {
    ...{ seed, epochs, violations },
    ...counted,
    kills: faults.kills,
    diedAt: new Set(nodes.flatMap(({ diedAt }) => [...diedAt])),
  };
}

/** What goes wrong: one node at a time, at any moment of an epoch. */
class Faults {
  readonly #nodes: readonly SimNode[];
  readonly #mesh: SimMesh;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  #busyUntil = 0;
  #stopped = false;
  /** How often a node was killed. */
  kills = 0;
  /** When a node was last cut off, or connected again. */
  reconnectedAt = 0;

  constructor(
    nodes: readonly SimNode[],
    mesh: SimMesh,
    clock: VirtualClock,
    random: SeededRandom,
  ) {
    this.#nodes = nodes;
    this.#mesh = mesh;
    this.#clock = clock;
    this.#random = random;
  }

  /** Plans what goes wrong in an epoch, if anything. */
  plan(): void {
    const now = this.#clock.now();
    if (now < this.#busyUntil || !this.#random.happens(0.6)) return;
    const after = this.#random.between(0, LENGTH * BLOCK);
    const lasting = this.#random.between(500, 6 * BLOCK);
    this.#busyUntil = now + after + lasting;
    const node = this.#random.pick(this.#nodes);
    const kind = this.#random.below(7);
    this.#clock.after(after, () => this.#begin(node, kind, lasting));
  }

  /** Nothing goes wrong from now on. */
  stop(): void {
    this.#stopped = true;
  }

  #begin(node: SimNode, kind: number, lasting: number): void {
    if (this.#stopped) return;
    const { faults, peerId } = node;
    const until = (end: () => void) =>
      this.#clock.after(lasting, () => {
        end();
        node.noteFine();
      });
    switch (kind) {
      case 0:
        this.#kill(node, lasting);
        break;
      case 1:
      case 2:
        node.killAtWrite(
          1 + this.#random.below(12),
          () => this.#kill(node, this.#random.between(500, 2 * BLOCK)),
        );
        break;
      case 3:
        this.#mesh.cut.add(peerId);
        this.reconnectedAt = this.#clock.now();
        until(() => {
          this.#mesh.cut.delete(peerId);
          this.reconnectedAt = this.#clock.now();
        });
        break;
      case 4:
        faults.away = true;
        until(() => faults.away = false);
        break;
      case 5:
        faults.calls = this.#random.pick(
          ["lost-receipt", "dropped", "stale"] as const,
        );
        until(() => faults.calls = undefined);
        break;
      case 6:
        faults.late = 1;
        until(() => faults.late = 0);
    }
    node.noteFine();
  }

  #kill(node: SimNode, pause: number): void {
    if (!node.isUp) return;
    this.kills++;
    node.kill();
    this.#clock.after(pause, () => {
      if (!this.#stopped) node.start();
    });
  }
}

function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) / 1e18 : value;
}
