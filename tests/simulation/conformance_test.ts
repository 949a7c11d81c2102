import {
  type BlockRef,
  type Chain,
  ChainCallError,
  type ChainSigner,
  ChainSubmitError,
  identityFromSeed,
  MeshError,
  type NodeClass,
  ONE,
  type Proposal,
  type WriteOptions,
} from "../../mod.ts";
import { readFacts } from "../../src/chain/local/facts.ts";
import { LocalChain } from "../../src/chain/local/mod.ts";
import { Store } from "../../src/chain/local/store.ts";
import { assert, assertEquals } from "../assert.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { withFolder } from "../system/program.ts";
import { BLOCK, LENGTH, SimChain, SLOT, SUBNET } from "./sim_chain.ts";

const HOTKEYS = Array.from({ length: 7 }, (_, i) => accountOf(i + 1));
const NOBODY = accountOf(99);
const SEEDS = 8;
const STEPS = 250;
const SCORES = [0n, 1n, ONE, 2n ** 128n - 1n, 2n ** 128n, -1n];
const CLASSES: readonly NodeClass[] = ["registered", "included", "validator"];
const FAULTS = [
  ...[undefined, undefined, undefined, undefined, undefined],
  ...["lost-receipt", "dropped", "stale"] as const,
];

/** What both chains must do alike. */
interface Side {
  readonly chain: Chain;
  signer(hotkey: string): ChainSigner;
  register(n: number, nodeClass: NodeClass): number;
  fail(
    faults: { away: boolean; calls: typeof FAULTS[number]; late: number },
  ): void;
}

/** What became of something, as a node tells one result from another. */
async function outcomeOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return plain(await work());
  } catch (error) {
    if (error instanceof ChainCallError) return error.chainError;
    if (error instanceof ChainSubmitError) return `submit ${error.remedy}`;
    return error instanceof MeshError ? error.code : String(error);
  }
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(
    { value },
    (_, each) =>
      each instanceof Map
        ? [...each]
        : typeof each === "bigint"
        ? `${each}`
        : each,
  ));
}

/** A chain of the simulation and a local chain of one seed, both at block 0, and what moves them on. */
async function withBoth(
  seed: number,
  test: (
    sides: readonly Side[],
    pass: (milliseconds: number) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/chain.db`;
    const clocks = [new VirtualClock(), new VirtualClock()] as const;
    const options = { epochLength: LENGTH, slot: SLOT, minStake: 1n };
    const local = LocalChain.create(path, options, clocks[0]);
    const store = Store.open(path, false);
    const facts = readFacts(store);
    store.close();
    assert(facts !== undefined);
    const sim = new SimChain(clocks[1], new SeededRandom(seed), facts);
    for (const each of [...HOTKEYS, NOBODY]) local.setBalance(each, 10n ** 18n);
    const port = sim.port(HOTKEYS[0] as string, () => 1);
    const registration = (n: number, nodeClass: NodeClass) => ({
      hotkey: HOTKEYS[n] as string,
      coldkey: accountOf(n + 101),
      peerId: identityFromSeed(new Uint8Array(32).fill(n + 1)).peerId,
      nodeClass,
    });
    const sides: Side[] = [
      {
        chain: local,
        signer: (hotkey) => local.signer(hotkey),
        register: (n, nodeClass) => local.register(registration(n, nodeClass)),
        fail: ({ away, calls, late }) => {
          local.faults.unreadable = away;
          local.faults.calls = calls;
          local.faults.lateBlocks = late;
        },
      },
      {
        chain: port.chain,
        signer: (hotkey) => port.signerOf(hotkey),
        register: (n, nodeClass) => sim.register(registration(n, nodeClass)),
        fail: ({ away, calls, late }) => {
          port.faults.away = away ? 1 : 0;
          port.faults.calls = calls;
          port.faults.late = late;
        },
      },
    ];
    try {
      // A little after each block, so that both have it.
      const pass = async (milliseconds: number) => {
        for (const clock of clocks) await clock.advance(milliseconds);
      };
      await pass(1);
      await test(sides, pass);
    } finally {
      await local.close();
      sim.close();
    }
  });
}

/** Everything that a node reads at a block. */
async function readAll(chain: Chain, at: BlockRef | undefined, epoch: number) {
  const view = await chain.view(at);
  return {
    block: view.block,
    time: await view.time(),
    subnet: await view.subnet(SUBNET),
    other: await view.subnet(SUBNET + 1),
    nodes: await view.nodes(SUBNET),
    own: await view.nodeOfHotkey(SUBNET, HOTKEYS[1] as string),
    nobody: await view.nodeOfHotkey(SUBNET, NOBODY),
    elected: await view.electedValidator(SUBNET, epoch),
    next: await view.electedValidator(SUBNET, epoch + 1),
    submission: await view.submission(SUBNET, epoch),
    before: await view.submission(SUBNET, epoch - 1),
    attestors: await view.attestors(SUBNET),
    bootnodes: await view.bootnodes(SUBNET),
  };
}

Deno.test("the simulation's chain does what the local chain does, whatever is asked of it", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    await withBoth(seed, async (sides, pass) => {
      const random = new SeededRandom(seed);
      let block = 0;
      const alike = async (
        what: string,
        act: (side: Side) => Promise<unknown>,
      ) => {
        const [local, sim] = await Promise.all(
          sides.map((side) => outcomeOf(() => act(side))),
        );
        assertEquals(sim, local, `seed ${seed}, block ${block}: ${what}`);
        const kind = typeof local === "string" ? local : `${what} done`;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      };
      const go = async (blocks: number) => {
        for (; blocks > 0; blocks--, block++) await pass(BLOCK);
      };
      for (let step = 0; step < STEPS; step++) {
        const epoch = Math.max(0, Math.floor((block - SLOT) / LENGTH));
        switch (random.below(5)) {
          case 0: {
            const [n, kind] = [
              random.below(HOTKEYS.length),
              random.pick(CLASSES),
            ];
            await alike(
              "register",
              (side) => Promise.resolve().then(() => side.register(n, kind)),
            );
            break;
          }
          case 1: {
            const number = random.happens(0.1)
              ? block + 1
              : Math.max(0, block - random.below(LENGTH));
            await alike(
              "blockAt",
              (side) => side.chain.blockAt?.(number) ?? Promise.resolve(),
            );
            const at = await sides[0]?.chain.blockAt?.(number) ??
              { number, hash: "0x00" };
            await alike("view", (side) => readAll(side.chain, at, epoch));
            await alike(
              "head",
              (side) => readAll(side.chain, undefined, epoch),
            );
            await alike("constants", (side) => side.chain.constants());
            break;
          }
          case 2:
          case 3: {
            const calls = Array.from({ length: 1 + random.below(4) }, () => {
              const faults = {
                away: random.happens(0.05),
                calls: random.pick(FAULTS),
                late: random.pick([0, 0, 1]),
              };
              return { faults, ...callOf(random, block) };
            });
            const running = sides.map((side) =>
              calls.map(({ faults, hotkey, send }) => {
                side.fail(faults);
                return outcomeOf(() => send(side.signer(hotkey)));
              })
            );
            // Only what is true when a call is sent counts.
            await pass(0);
            for (const side of sides) {
              side.fail({ away: false, calls: undefined, late: 0 });
            }
            await go(3);
            const [local, sim] = await Promise.all(
              running.map((each) => Promise.all(each)),
            );
            for (const [i, call] of calls.entries()) {
              const what = `${JSON.stringify(call.faults)} ${call.what}`;
              assertEquals(sim?.[i], local?.[i], `seed ${seed}: ${what}`);
              const kind = typeof local?.[i] === "string"
                ? local[i]
                : call.what;
              seen.set(kind, (seen.get(kind) ?? 0) + 1);
            }
            break;
          }
          case 4:
            await go(1 + random.below(6));
        }
      }
    });
  }
  for (
    const kind of [
      ...["view done", "register done", "propose", "attest"],
      ...["InvalidValidator", "SubnetRewardsAlreadySubmitted", "ScoreOverflow"],
      ...["NoElectedValidator", "InvalidHotkeySubnetNodeId", "AlreadyAttested"],
      ...["InvalidSubnetNodeClassification", "InvalidSubnetId"],
      ...["InvalidSubnetConsensusSubmission", "CHAIN_UNREADABLE"],
      ...["submit look", "submit stop"],
    ]
  ) assert(seen.has(kind), `${kind} is not in ${[...seen.keys()].join(", ")}`);
});

/** A call of somebody. */
function callOf(random: SeededRandom, block: number) {
  const hotkey = random.happens(0.1) ? NOBODY : random.pick(HOTKEYS);
  const subnetId = random.happens(0.05) ? SUBNET + 1 : SUBNET;
  const options: WriteOptions = random.happens(0.3)
    ? { notAfter: block + random.below(3) }
    : {};
  if (random.happens(0.5)) {
    return {
      ...{ hotkey, what: "attest" },
      send: (signer: ChainSigner) => signer.attest(subnetId, options),
    };
  }
  const proposal: Proposal = {
    subnetId,
    scores: Array.from({ length: random.below(4) }, () => ({
      nodeId: random.below(HOTKEYS.length + 2),
      score: random.happens(0.1) ? random.pick(SCORES) : ONE,
    })),
    ...random.happens(0.2) ? { prioritizeQueueNodeId: random.below(5) } : {},
    ...random.happens(0.2) ? { removeQueueNodeId: random.below(5) } : {},
  };
  return {
    ...{ hotkey, what: "propose" },
    send: (signer: ChainSigner) => signer.propose(proposal, options),
  };
}

Deno.test("both tell of the same blocks", () =>
  withBoth(1, async (sides, pass) => {
    const end = new AbortController();
    const heard = sides.map(async ({ chain }) => {
      const numbers: BlockRef[] = [];
      for await (const head of chain.heads(end.signal)) {
        numbers.push(head);
        if (numbers.length === 10) break;
      }
      return numbers;
    });
    await pass(12 * BLOCK);
    end.abort();
    const [local, sim] = await Promise.all(heard);
    assertEquals(sim, local);
    assertEquals(local?.map(({ number }) => number), [
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
    ]);
  }));
