import {
  ChainSubmitError,
  type ConsensusOptions,
  type Journal,
  type JournaledWork,
  type NodeScore,
  ONE,
  type Scorer,
} from "../../mod.ts";
import { MACHINE_RULES } from "../../src/consensus/rules.ts";
import { assert } from "../assert.ts";
import type { Sabotage, SimNode } from "./sim_node.ts";
import { runWorld } from "./world.ts";

/** Seeds of which at least one must show what is wrong. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const EPOCHS = 30;

/** Expects that a world with this sabotage reports what it breaks. */
async function expectReport(report: RegExp, sabotage: Sabotage): Promise<void> {
  const told: string[] = [];
  for (const seed of SEEDS) {
    const { violations } = await runWorld(seed, EPOCHS, sabotage);
    told.push(...violations);
    if (violations.some((each) => report.test(each))) return;
  }
  assert(false, `nothing like ${report} in ${told.slice(0, 5).join("\n")}`);
}

/** A scorer in the place of the usual one, for honest nodes. */
function scoredBy(
  change: (
    scores: readonly NodeScore[],
    node: SimNode,
    epoch: number,
  ) => readonly NodeScore[],
): Sabotage {
  return (options, node) => {
    const usual = options.scorer as Scorer;
    if (node.lie === "scores") return options;
    return {
      ...options,
      scorer: {
        score: async (context) =>
          change(await usual.score(context), node, context.epoch),
      },
    };
  };
}

/** A journal that does some things otherwise. */
function journalled(change: (journal: Journal) => Partial<Journal>): Sabotage {
  return (options) => ({
    ...options,
    journal: async (signal) => {
      const opened = await (options.journal as NonNullable<
        ConsensusOptions["journal"]
      >)(signal);
      const { journal } = opened;
      return {
        isReplacement: opened.isReplacement,
        journal: {
          get state() {
            return journal.state;
          },
          record: (entry) => journal.record(entry),
          keepWork: (work) => journal.keepWork(work),
          work: (epoch) => journal.work(epoch),
          keep: (name, text) => journal.keep(name, text),
          kept: (name) => journal.kept(name),
          summaries: (most) => journal.summaries(most),
          recording: (epoch) => journal.recording(epoch),
          close: () => journal.close(),
          ...change(journal),
        },
        [Symbol.dispose]: () => opened[Symbol.dispose](),
      };
    },
  });
}

Deno.test("a node that sends its proposal twice is reported", () =>
  expectReport(/proposed twice/, (options) => ({
    ...options,
    signer: {
      ...options.signer,
      propose: (proposal, more) => {
        options.signer.propose(proposal, more).catch(() => {});
        return options.signer.propose(proposal, more);
      },
    },
  })));

Deno.test("a node that is told nothing of its proposal, and does not look whether it is in, is reported", () =>
  expectReport(/proposed twice/, (options) => ({
    ...options,
    chain: {
      ...options.chain,
      view: async (block, more) => ({
        ...await options.chain.view(block, more),
        submission: () => Promise.resolve(undefined),
      }),
    },
    signer: {
      ...options.signer,
      propose: async (proposal, more) => {
        await options.signer.propose(proposal, more);
        throw new ChainSubmitError("look", "It is lost.");
      },
    },
  })));

Deno.test("a node that attests whatever is near is reported", () =>
  expectReport(/attests epoch \d+, which differs from its own/, (options) => ({
    ...options,
    rules: { ...MACHINE_RULES, attest: { kind: "tolerance", most: 0.9 } },
  })));

Deno.test("a node that forgets its salt when it is restarted is reported", () =>
  expectReport(
    /did not reveal in epoch/,
    journalled(() => {
      const works = new Map<number, JournaledWork>();
      return {
        keepWork: (work) => void works.set(work.epoch, work),
        work: (epoch) => works.get(epoch),
      };
    }),
  ));

Deno.test("a node that makes a new salt for each publication is reported", () =>
  expectReport(
    /did not reveal in epoch/,
    journalled((journal) => ({
      work: (epoch) => {
        const work = journal.work(epoch);
        return work && {
          ...work,
          salt: crypto.getRandomValues(new Uint8Array(32)),
        };
      },
    })),
  ));

Deno.test("nodes that score by who they are lose epochs, and are reported", () =>
  expectReport(
    /^epoch \d+ has \d of \d/,
    scoredBy((scores, { id }) => [...scores, { nodeId: 100 + id, score: 1n }]),
  ));

Deno.test("nodes that never look at the chain anew lose epochs, and are reported", () =>
  expectReport(/^epoch \d+ has \d of \d/, (options) => ({
    ...options,
    chain: {
      ...options.chain,
      // Heads stop at the first one.
      heads: async function* (signal) {
        for await (const head of options.chain.heads(signal)) {
          yield head;
          break;
        }
        await options.clock?.sleep(1e9, signal).catch(() => {});
      },
    },
  })));

Deno.test("scores that pay for a commit without its reveal are reported", () =>
  expectReport(
    /is paid for its work in epoch/,
    scoredBy((scores) =>
      scores.map(({ nodeId }) => ({ nodeId, score: 2n * ONE }))
    ),
  ));

Deno.test("scores that leave out who was there are reported", () =>
  expectReport(
    /was there, and epoch \d+ does not pay it/,
    scoredBy((scores) => scores.slice(1)),
  ));

Deno.test("a node that is down for good after its first kill is reported", () =>
  expectReport(
    /does not vote in epoch/,
    (options, node) =>
      node.lives <= 1 ? options : {
        ...options,
        joined: () => false,
      },
  ));

Deno.test("a node that does not say that its clock is wrong, or says so of a right one, is reported", async () => {
  for (
    const [report, tolerance] of [
      [/is off by -?\d+ ms, and does not say so/, 1e6],
      [/says its clock is wrong/, 1],
    ] as const
  ) {
    await expectReport(
      report,
      (options, node) => {
        node.clockTolerance = tolerance;
        return options;
      },
    );
  }
});
