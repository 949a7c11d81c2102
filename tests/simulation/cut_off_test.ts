import { assert, assertEquals } from "../assert.ts";
import { BLOCK } from "./sim_chain.ts";
import type { Sabotage } from "./sim_node.ts";
import { type Stage, withStage } from "./stage.ts";

/** How long a heartbeat lives, ms: two periods. */
const LIFETIME = 120_000;
/** From its start until a node is connected, ms. */
const SETTING_UP = 2_000;
/** The epoch that is voted on; what counts is the one before. */
const EPOCH = 2;

/** What node 1 does around the cut-off, which is at a time, ms. */
type Deed = (stage: Stage, cutOff: number) => Promise<void>;

/** Whether the others found node 1 present, each of them, and how many of them voted. */
function judged(seed: number, deed: Deed, sabotage?: Sabotage) {
  const delay = 100 + 200 * (seed % 3);
  return withStage({ seed, count: 4, delay, sabotage }, async (stage) => {
    const { chain, nodes, timeOf, until, violations } = stage;
    const others = nodes.slice(1);
    for (const node of others) node.start();
    await deed(stage, timeOf(EPOCH - 1, 12));
    await until(timeOf(EPOCH, 0));
    chain.elect(EPOCH, 2);
    await until(timeOf(EPOCH, 9));
    assertEquals(violations, []);
    const votes = chain.submission(EPOCH)?.attestations;
    return {
      present: others.map((node) =>
        node.own(EPOCH)?.some(({ nodeId }) => nodeId === 1)
      ),
      votes: others.filter(({ id }) => votes?.has(id)).length,
    };
  });
}

/** Expects that all three come to the same. */
async function expectAll(present: boolean, what: string, deed: Deed) {
  for (const seed of [1, 2, 3]) {
    assertEquals(
      await judged(seed, deed),
      { present: [present, present, present], votes: 3 },
      `${what}, seed ${seed}`,
    );
  }
}

/** Node 1 goes online at a time. */
async function online({ nodes: [node], until }: Stage, at: number) {
  if (node === undefined) return;
  node.onlineAt = at;
  // Too late to commit to work: only being there is paid.
  await until(at - SETTING_UP);
  node.start();
  await until(at);
}

Deno.test("who comes at the cut-off is there for all, and who comes after it for nobody", async () => {
  for (
    const [offset, present] of [[-1, true], [0, true], [1, false]] as const
  ) {
    await expectAll(
      present,
      `${offset} ms`,
      (stage, cutOff) => online(stage, cutOff + offset),
    );
  }
});

Deno.test("who leaves at the cut-off is gone for all, and who leaves after it for nobody", async () => {
  for (
    const [offset, present] of [[-1, false], [0, false], [1, true]] as const
  ) {
    await expectAll(present, `${offset} ms`, async (stage, cutOff) => {
      await online(stage, cutOff - 1.5 * BLOCK);
      await stage.until(cutOff + offset);
      void stage.nodes[0]?.leave();
    });
  }
});

Deno.test("who leaves, or vanishes, and is back before the votes is judged as if it were not", async () => {
  for (
    const [offset, present] of [[-1, false], [0, false], [1, true]] as const
  ) {
    await expectAll(present, `${offset} ms`, async (stage, cutOff) => {
      const { nodes: [node], until } = stage;
      await online(stage, cutOff - 1.5 * BLOCK);
      await until(cutOff + offset);
      await Promise.all([node?.leave(), until(cutOff + 2 * BLOCK)]);
      node?.start();
    });
    await expectAll(false, `vanished ${offset} ms`, async (stage, cutOff) => {
      const { nodes: [node], until } = stage;
      await online(stage, cutOff + offset - LIFETIME);
      await until(cutOff + offset - LIFETIME + BLOCK / 2);
      node?.kill();
      await until(cutOff + 4 * BLOCK);
      node?.start();
    });
  }
});

/** Offsets from the cut-off at which the others read. */
const whileRead = Array.from({ length: 12 }, (_, i) => 2 * BLOCK + 75 * i);

/** The last heartbeat of node 1, which is killed long before, ends so long after the cut-off. */
function vanishes(offset: number): Deed {
  return async (stage, cutOff) => {
    const from = cutOff + offset - LIFETIME;
    await online(stage, from);
    await stage.until(from + BLOCK / 2);
    stage.nodes[0]?.kill();
  };
}

Deno.test("whose last heartbeat ends around the cut-off, or while it is read, is missed by all", async () => {
  for (
    const [offset, present] of [
      ...[-1, 0, 1, ...whileRead, 3 * BLOCK].map((each) =>
        [each, false] as const
      ),
      [3 * BLOCK + 1, true] as const,
    ]
  ) {
    await expectAll(present, `${offset} ms`, vanishes(offset));
  }
});

Deno.test("scores by whoever lives at the cut-off, whether all can still read it or not, would differ", async () => {
  let apart = 0;
  for (const offset of whileRead) {
    const { present } = await judged(1, vanishes(offset), (options) => ({
      ...options,
      scorer: {
        score: async (context) =>
          await options.scorer?.score({
            ...context,
            heardUntil: context.cutOff,
          }) ?? [],
      },
    }));
    if (new Set(present).size > 1) apart++;
  }
  assert(apart > 0, "nobody read while it ended");
});
