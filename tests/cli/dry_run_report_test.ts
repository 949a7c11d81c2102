import { ONE, type Outcome, type Recording } from "../../mod.ts";
import {
  decisionText,
  dryRunReport,
  reasonText,
  scoresText,
} from "../../src/cli/consensus/dry_run_report.ts";
import { assert, assertEquals } from "../assert.ts";
import {
  block,
  scored,
  submissionBy,
  walk,
  WORKING,
} from "../consensus/observations.ts";

const RULES = { ...WORKING, dryRun: true };

/** What is recorded of epoch 0 when another node's proposal has some scores. */
function recorded(proposed: bigint | undefined) {
  const more = proposed === undefined ? {} : {
    elected: 2,
    submission: submissionBy(2, {
      scores: [{ nodeId: 1, score: proposed }, { nodeId: 2, score: ONE }],
    }),
  };
  const own = [{ nodeId: 1, score: ONE }, { nodeId: 2, score: ONE }];
  const events = [block(17, more), scored(17, more, own)];
  const { state: initial } = walk([]);
  const { reports: [told] } = walk(events, RULES);
  assert(told !== undefined);
  const recording: Recording = {
    epoch: 0,
    rules: RULES,
    initial,
    events: events.map((event) => ({ at: 0, event })),
  };
  return dryRunReport(1, told, recording);
}

Deno.test("who agrees is told so, with all scores", () => {
  const report = recorded(ONE);
  assertEquals([report.outcome, report.agrees, report.sent], [
    "attested",
    true,
    false,
  ]);
  assertEquals(
    decisionText(report),
    "Epoch 0: node 1 would have attested the proposal of node 2, and nothing " +
      "was sent.",
  );
  assertEquals(
    reasonText(report),
    "The proposal of node 2 has the same scores.",
  );
  assert(/^ +2 .* 1 +1$/m.test(scoresText(report.scores ?? [], [])));
});

Deno.test("who differs is told about whom, and how", () => {
  const report = recorded(ONE / 2n);
  assertEquals(report.outcome, "disagreed");
  assertEquals(report.scores, [
    { nodeId: 1, own: ONE, proposed: ONE / 2n },
    { nodeId: 2, own: ONE, proposed: ONE },
  ]);
  assertEquals(
    reasonText(report),
    "The proposal of node 2 differs from its own scores about 1 node.",
  );
  const text = scoresText(report.scores ?? [], []);
  assert(/^ +1 .* 1 +0\.5 +differs$/m.test(text), text);
});

Deno.test("the elected would have proposed, whether or not there is something to compare", () => {
  const report = recorded(undefined);
  assertEquals([report.outcome, report.proposer], ["proposed", undefined]);
  assertEquals(report.agrees, undefined);
  assertEquals(
    reasonText(report),
    "Its scores are those of 2 nodes; nothing was proposed yet to compare " +
      "them with.",
  );
});

Deno.test("without scores the reason is that of the machine, and every outcome has words", () => {
  const outcomes: Outcome[] = [
    ...["proposed", "attested", "observed", "disagreed"] as const,
    ...["queue-change", "not-an-attestor", "no-proposal"] as const,
    ...["call-failed", "out-of-time"] as const,
  ];
  for (const outcome of outcomes) {
    const told = { kind: "outcome", epoch: 7, outcome, reason: "broken" };
    const report = dryRunReport(
      1,
      told as Parameters<typeof dryRunReport>[1],
      undefined,
    );
    assertEquals(reasonText(report), "broken");
    assert(/^Epoch 7: node 1 .* nothing was sent/.test(decisionText(report)));
  }
});
