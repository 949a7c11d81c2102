import {
  atLeast,
  generateIdentity,
  type QueueChange,
  type QueuePolicy,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { SUBNET, withValidators } from "./validators.ts";

/** Brings the first waiting node forward, and takes the second one out. */
const POLICY: QueuePolicy = {
  propose: ({ nodes }) => {
    const [first, second] = nodes.filter(({ nodeClass }) =>
      nodeClass === "registered"
    );
    return Promise.resolve({
      ...(first === undefined ? {} : { prioritize: first.id }),
      ...(second === undefined ? {} : { remove: second.id }),
    });
  },
  accepts: ({ prioritize, remove }, nodes) =>
    Promise.resolve(
      [prioritize, remove].every((id) => {
        const node = nodes.find((each) => each.id === id);
        return id === undefined || node !== undefined &&
            !atLeast(node.nodeClass, "idle");
      }),
    ),
};

/** Runs three validators with policies beside a queue of two, and gives what became of epoch 1. */
async function decide(policies: readonly (QueuePolicy | undefined)[]) {
  let result: {
    readonly change: QueueChange;
    readonly elected: number;
    readonly attested: readonly number[];
    readonly outcomes: readonly (string | undefined)[];
  } | undefined;
  await withValidators(
    async ({ chain, start, toBlock, toEpoch }) => {
      for (const n of [11, 12]) {
        chain.register({
          ...{ hotkey: accountOf(n), coldkey: accountOf(100 + n) },
          ...{ peerId: generateIdentity().peerId, nodeClass: "registered" },
        });
      }
      await toBlock(1);
      const running = policies.map((queue, i) =>
        start(i + 1, undefined, queue === undefined ? {} : { queue })
      );
      await toEpoch(2);
      const view = await chain.view();
      const submission = await view.submission(SUBNET, 1);
      assert(submission !== undefined);
      const { prioritizeQueueNodeId, removeQueueNodeId } = submission;
      result = {
        change: {
          ...(prioritizeQueueNodeId === undefined
            ? {}
            : { prioritize: prioritizeQueueNodeId }),
          ...(removeQueueNodeId === undefined
            ? {}
            : { remove: removeQueueNodeId }),
        },
        elected: submission.validatorId,
        attested: [...submission.attestations.keys()].sort(),
        outcomes: running.map(({ reports }) =>
          reports.flatMap((each) =>
            each.kind === "outcome" && each.epoch === 1 ? [each.outcome] : []
          )[0]
        ),
      };
    },
    policies.map(() => undefined),
    { startAll: false },
  );
  return result as NonNullable<typeof result>;
}

Deno.test("what the queue's policy wants is proposed, and attested by all who have it", async () => {
  const { change, attested, outcomes } = await decide([POLICY, POLICY, POLICY]);
  assertEquals(change, { prioritize: 4, remove: 5 });
  assertEquals(attested, [1, 2, 3]);
  assertEquals(outcomes.toSorted(), ["attested", "attested", "proposed"]);
});

Deno.test("who has no policy refuses every change of the queue, and proposes none", async () => {
  const { change, elected, attested, outcomes } = await decide([
    undefined,
    POLICY,
    POLICY,
  ]);
  if (elected === 1) {
    assertEquals(change, {});
    assertEquals(attested, [1, 2, 3]);
  } else {
    assertEquals(change, { prioritize: 4, remove: 5 });
    assertEquals(attested, [2, 3]);
    assertEquals(outcomes[0], "queue-change");
  }
});

Deno.test("a policy that says no, or fails, refuses the change; leaving the queue alone is nobody's question", async () => {
  let asked = 0;
  const judged = (answer: () => Promise<boolean>): QueuePolicy => ({
    propose: POLICY.propose as NonNullable<QueuePolicy["propose"]>,
    accepts: () => {
      asked++;
      return answer();
    },
  });
  const refuses = judged(() => Promise.resolve(false));
  const fails = judged(() => Promise.reject(new Error("broken")));
  const { elected, attested, outcomes } = await decide([
    refuses,
    fails,
    refuses,
  ]);
  assertEquals(attested, [elected]);
  outcomes.forEach((is, i) =>
    assertEquals(is, i + 1 === elected ? "proposed" : "queue-change")
  );
  assert(asked > 0);
  asked = 0;
  const quiet: QueuePolicy = {
    accepts: () => {
      asked++;
      return Promise.resolve(false);
    },
  };
  const alone = await decide([quiet, quiet, quiet]);
  assertEquals([alone.change, alone.attested, asked], [{}, [1, 2, 3], 0]);
});
