import { epochPosition, identityFromSeed } from "../../mod.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { type Fault, Faults, SKEW } from "./faults.ts";
import { type Counts, Judge } from "./judge.ts";
import { type Lie, LIES, WRONG_CLOCKS } from "./lies.ts";
import { BLOCK, LENGTH, SimChain, SLOT } from "./sim_chain.ts";
import { SimMesh } from "./sim_mesh.ts";
import { type Sabotage, SimNode } from "./sim_node.ts";

/** What a run came to. */
export interface WorldResult extends Counts {
  readonly seed: number;
  /** Epochs that passed. */
  readonly epochs: number;
  /** How often what went wrong. */
  readonly faults: ReadonlyMap<Fault, number>;
  /** Events at whose writing to the journal a node was killed. */
  readonly diedAt: ReadonlySet<string>;
  /** What must never be, and was. */
  readonly violations: readonly string[];
}

/** Epochs at the end in which nothing goes wrong; in the last everybody votes. */
const QUIET = 3;
/** Fewest nodes of which one may have a wrong clock: it needs three others to learn it. */
const WITNESSED = 4;

/**
 * Some nodes, a third of them liars, in bad weather, for some epochs. All
 * follows from the seed. A sabotage changes the consensus of every node.
 */
export async function runWorld(
  seed: number,
  epochs: number,
  sabotage?: Sabotage,
): Promise<WorldResult> {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock();
  const chain = new SimChain(clock, random);
  const mesh = new SimMesh(clock, random);
  mesh.loss = random.pick([0, 0.003, 0.01]);
  mesh.delay = random.pick([50, 300, 900]);
  chain.lateness = random.pick([0, 4_000]);
  const count = 3 + random.below(5);
  const liars = Math.floor(count / 3);
  // One wrong clock at most: who asks three others must hear two right ones.
  const lies = LIES.filter((lie) => lie !== "clock");
  const violations: string[] = [];
  const nodes = Array.from({ length: count }, (_, i) => {
    const identity = identityFromSeed(random.bytes(32));
    const lie = i >= liars
      ? undefined
      : random.pick(i === 0 && count >= WITNESSED ? LIES : lies);
    const hotkey = accountOf(i + 1);
    const id = chain.register({
      hotkey,
      coldkey: accountOf(i + 101),
      peerId: identity.peerId,
    });
    return new SimNode({
      ...{ identity, chain, mesh, clock, random, hotkey, id, lie, sabotage },
      skew: skewOf(lie, random),
      violated: (what) => violations.push(what),
    });
  });
  chain.doubled = (hotkey) => violations.push(`${hotkey} proposed twice`);
  const width = random.pick([1, 1, 2, 3]);
  const faults = new Faults({ nodes, mesh, chain, clock, random }, width);
  const judge = new Judge({ nodes, chain, mesh, clock, faults, violations });
  const ended = Promise.withResolvers<void>();
  chain.onBlock = (height) => {
    const { epoch, elapsed, beforeSlot } = epochPosition(height, SLOT, LENGTH);
    if (beforeSlot) return;
    if (elapsed === 0 && epoch === epochs) ended.resolve();
    if (elapsed === 0 && epoch === epochs - QUIET) faults.stop();
    if (elapsed === 0 && epoch < epochs - QUIET) faults.plan();
    judge.onBlock(height);
    if (elapsed === LENGTH - 1) {
      mesh.forget(epoch - 2);
      if (epoch === epochs - 1) judge.recovered(epoch);
    }
  };
  for (const node of nodes) node.start();
  await clock.run(ended.promise, Infinity);
  const dead = Promise.all(nodes.map((node) => node.end()));
  await clock.advance(10 * BLOCK);
  await dead;
  chain.close();
  return {
    ...{ seed, epochs, violations },
    ...judge.counts,
    faults: faults.count,
    diedAt: new Set(nodes.flatMap(({ diedAt }) => [...diedAt])),
  };
}

function skewOf(lie: Lie | undefined, random: SeededRandom): number {
  if (lie === "clock") {
    return random.pick([-1_000, 1_000]) * random.pick(WRONG_CLOCKS);
  }
  return random.pick([-SKEW, SKEW, random.between(-SKEW, SKEW)]);
}
