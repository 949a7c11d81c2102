import {
  type LocalChain,
  type NodeScore,
  ONE,
  type Scorer,
  VOTE_TRANSITIONS,
  WORK_TRANSITIONS,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { SUBNET, withValidators } from "./validators.ts";

const submissionOf = async (chain: LocalChain, epoch: number) =>
  (await chain.view()).submission(SUBNET, epoch);

const scoring = (scores: readonly NodeScore[]): Scorer => ({
  score: () => Promise.resolve(scores),
});

Deno.test("three validators reach three of three in every epoch", () =>
  withValidators(async ({ chain, validators, toEpoch }) => {
    const EPOCHS = 40;
    await toEpoch(EPOCHS);
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      const submission = await submissionOf(chain, epoch);
      assertEquals(submission?.attestations.size, 3, `epoch ${epoch}`);
      assertEquals(
        submission?.scores,
        [1, 2, 3].map((nodeId) => ({ nodeId, score: ONE })),
      );
    }
    for (const { outcomes } of validators) {
      assertEquals(outcomes().length, EPOCHS);
      assert(outcomes().every((is) => is === "proposed" || is === "attested"));
    }
  }));

Deno.test("who starts in the middle of an epoch goes on where the chain stands", () =>
  withValidators(async ({ chain, start, toBlock, toEpoch }) => {
    await toBlock(3 + 20 + 3);
    const late = start(1);
    await toBlock(3 + 20 + 8);
    const elected = await (await chain.view()).electedValidator(SUBNET, 1);
    assertEquals(late.outcomes(), [elected === 1 ? "proposed" : "attested"]);
    assertEquals((await submissionOf(chain, 1))?.attestations.size, 3);
    await toEpoch(3);
    assertEquals(late.outcomes().length, 2);
  }));

Deno.test("who scores otherwise does not attest, and tells about whom", () => {
  const two = scoring([1, 2].map((nodeId) => ({ nodeId, score: ONE })));
  const half = scoring([
    { nodeId: 1, score: ONE },
    { nodeId: 2, score: ONE / 2n },
  ]);
  return withValidators(async ({ chain, validators, toEpoch }) => {
    await toEpoch(12);
    let disagreed = 0;
    for (let epoch = 0; epoch < 12; epoch++) {
      const submission = await submissionOf(chain, epoch);
      const proposer = submission?.validatorId;
      assertEquals(submission?.attestations.size, proposer === 3 ? 1 : 2);
      disagreed += proposer === 3 ? 2 : 1;
    }
    const reports = validators.flatMap(({ reports }) =>
      reports.filter((each) =>
        each.kind === "outcome" && each.outcome === "disagreed"
      )
    );
    assertEquals(reports.length, disagreed);
    const own = validators[2]?.reports.find((each) =>
      each.kind === "outcome" && each.outcome === "disagreed"
    );
    assert(own?.kind === "outcome");
    const [difference] = own.differences ?? [];
    const { reason, ...scores } = difference ?? {};
    assertEquals(scores, { nodeId: 2, proposed: ONE, own: ONE / 2n });
    assert(/^its heartbeat is seen here, online since \d/.test(reason ?? ""));
  }, [two, two, half]);
});

Deno.test("a proposal of nobody is attested by who sees nobody", () =>
  withValidators(async ({ chain, toEpoch }) => {
    await toEpoch(3);
    for (const epoch of [0, 1, 2]) {
      const submission = await submissionOf(chain, epoch);
      assertEquals(submission?.scores, []);
      assertEquals(submission?.attestations.size, 3);
    }
  }, [scoring([]), scoring([]), scoring([])]));

Deno.test("a scorer that fails, or scores nonsense, costs its own node only", () => {
  const broken: Scorer = { score: () => Promise.reject(new Error("broken")) };
  return withValidators(async ({ chain, validators, toEpoch }) => {
    await toEpoch(10);
    for (let epoch = 0; epoch < 10; epoch++) {
      const view = await chain.view();
      const elected = await view.electedValidator(SUBNET, epoch);
      const submission = await view.submission(SUBNET, epoch);
      assertEquals(
        submission?.attestations.size,
        elected === 3 ? undefined : 2,
      );
    }
    assert(validators[2]?.outcomes().every((is) => is === "call-failed"));
    assert(
      validators[0]?.outcomes().every((is) =>
        ["proposed", "attested", "no-proposal"].includes(is)
      ),
    );
  }, [undefined, undefined, broken]);
});

Deno.test("a lost receipt never leads to a second proposal, and a dropped call is sent again", () =>
  withValidators(async ({ chain, validators, toBlock, toEpoch }) => {
    for (
      const [epoch, calls] of (["lost-receipt", "dropped"] as const).entries()
    ) {
      await toEpoch(epoch);
      validators.forEach((each) => each.chain.faults.calls = calls);
      await toBlock(3 + epoch * 20 + 1);
      validators.forEach((each) => each.chain.faults.calls = undefined);
      await toEpoch(epoch + 1);
      assertEquals((await submissionOf(chain, epoch))?.attestations.size, 3);
    }
    for (const { outcomes } of validators) {
      assert(outcomes().every((is) => is === "proposed" || is === "attested"));
    }
  }));

Deno.test("an outage of the chain costs no more than the epochs it lasts", () =>
  withValidators(async ({ chain, validators, toBlock, toEpoch }) => {
    await toEpoch(1);
    await toBlock(3 + 20 + 10);
    validators.forEach((each) => each.chain.faults.unreadable = true);
    await toBlock(3 + 40 + 18);
    validators.forEach((each) => each.chain.faults.unreadable = false);
    await toEpoch(5);
    for (const epoch of [0, 1, 3, 4]) {
      assertEquals((await submissionOf(chain, epoch))?.attestations.size, 3);
    }
  }));

Deno.test("a paused subnet is waited for, and taken up again by itself", () =>
  withValidators(async ({ chain, validators, toBlock, toEpoch }) => {
    await toEpoch(2);
    chain.setState("paused");
    await toBlock(3 + 40 + 2);
    assertEquals(
      validators[0]?.consensus.state.vote.name,
      "awaiting-activation",
    );
    await toEpoch(4);
    chain.setState("active");
    await toEpoch(8);
    assertEquals((await submissionOf(chain, 6))?.attestations.size, 3);
    assertEquals((await submissionOf(chain, 7))?.attestations.size, 3);
  }));

Deno.test("nobody attests a proposal that changes the queue", () =>
  withValidators(async ({ chain, validators, toEpoch }) => {
    await toEpoch(0);
    const elected = await (await chain.view()).electedValidator(SUBNET, 0);
    const mine = validators[(elected as number) - 1];
    await mine?.stop();
    const call = chain.signer(accountOf(elected as number)).propose({
      subnetId: SUBNET,
      scores: [],
      removeQueueNodeId: 7,
    });
    await toEpoch(1);
    await call;
    const outcomes = validators.filter((each) => each !== mine)
      .map((each) => each.outcomes());
    assertEquals(outcomes, [["queue-change"], ["queue-change"]]);
  }));

Deno.test("a node that leaves is missed in the next epoch by all alike", () =>
  withValidators(async ({ chain, validators, toBlock, toEpoch }) => {
    await toBlock(3 + 20 + 10);
    await validators[2]?.stop();
    await toEpoch(6);
    for (const epoch of [2, 3, 4, 5]) {
      const view = await chain.view();
      if (await view.electedValidator(SUBNET, epoch) === 3) continue;
      const submission = await view.submission(SUBNET, epoch);
      assertEquals(submission?.scores.map(({ nodeId }) => nodeId), [1, 2]);
      assertEquals(submission?.attestations.size, 2);
    }
  }));

const readme = await Deno.readTextFile(
  new URL("../../src/consensus/README.md", import.meta.url),
);

Deno.test("the tables of the states are the code's", () => {
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| (`.*?) +\|$/gm)]
    .map((
      [, from, to],
    ) => [
      from,
      [...to?.matchAll(/`([a-z-]+)`/g) ?? []].map(([, name]) => name),
    ]);
  assertEquals(Object.fromEntries(rows), {
    ...VOTE_TRANSITIONS,
    ...WORK_TRANSITIONS,
  });
});

Deno.test("the drawings show every transition but the way back to waiting", () => {
  const drawn = [...readme.matchAll(/^ {2}([a-z-]+) --> ([a-z-]+): /gm)]
    .map(([, from, to]) => `${from} ${to}`).sort();
  const waiting = ["awaiting-activation", "awaiting-node"];
  const table = [VOTE_TRANSITIONS, WORK_TRANSITIONS].flatMap((each) =>
    Object.entries(each as Record<string, readonly string[]>)
  ).flatMap(([from, all]) =>
    all.filter((to) => !waiting.includes(to)).map((to) => `${from} ${to}`)
  ).sort();
  assertEquals(drawn, table);
});
