import { firstBlockOf, identityFromSeed, type Journal } from "../../mod.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { BLOCK, LENGTH, SimChain, SLOT } from "./sim_chain.ts";
import { SimMesh } from "./sim_mesh.ts";
import { type Sabotage, SimNode } from "./sim_node.ts";

/** Some honest nodes in good weather, that a test does things to. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly chain: SimChain;
  readonly mesh: SimMesh;
  readonly nodes: readonly SimNode[];
  /** What must never be, and was. */
  readonly violations: string[];
  /** The time of an epoch's block, ms. */
  timeOf(epoch: number, elapsed: number): number;
  /** Lets time pass until a moment, ms. */
  until(time: number): Promise<void>;
}

/** What a stage is made of. */
export interface StageOptions {
  readonly seed: number;
  readonly count: number;
  /** Longest way of a message, ms. */
  readonly delay?: number;
  /** Changes what the consensus of every node is made of. */
  readonly sabotage?: Sabotage | undefined;
  /** Opens the journal of a node, counted from 0; in memory by default. */
  readonly journal?: (node: number) => (() => Journal) | undefined;
}

/** Sets a stage on which nobody has started yet, and clears it after the test. */
export async function withStage<T>(
  { seed, count, delay = 200, journal, sabotage }: StageOptions,
  test: (stage: Stage) => Promise<T>,
): Promise<T> {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock();
  const chain = new SimChain(clock, random);
  const mesh = new SimMesh(clock, random);
  mesh.delay = delay;
  const genesis = clock.now();
  const violations: string[] = [];
  const nodes = Array.from({ length: count }, (_, i) => {
    const identity = identityFromSeed(random.bytes(32));
    const hotkey = accountOf(i + 1);
    const id = chain.register({
      hotkey,
      coldkey: accountOf(i + 101),
      peerId: identity.peerId,
    });
    const open = journal?.(i);
    return new SimNode({
      ...{ identity, chain, mesh, clock, random, hotkey, id, sabotage },
      lie: undefined,
      skew: 0,
      violated: (what) => violations.push(what),
      ...(open === undefined ? {} : { journal: open }),
    });
  });
  chain.doubled = (hotkey) => violations.push(`${hotkey} proposed twice`);
  try {
    return await test({
      ...{ clock, chain, mesh, nodes, violations },
      timeOf: (epoch, elapsed) =>
        genesis + BLOCK * (firstBlockOf(epoch, SLOT, LENGTH) + elapsed),
      until: (time) => clock.advance(time - clock.now()),
    });
  } finally {
    const dead = Promise.all(nodes.map((node) => node.end()));
    await clock.advance(10 * BLOCK);
    await dead;
    chain.close();
  }
}
