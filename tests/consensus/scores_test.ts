import * as fc from "fast-check";
import { canonicalScores, compareScores, type NodeScore } from "../../mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const MAX = 2n ** 128n - 1n;

/** Scores of different nodes, in any order. */
const scores = fc.uniqueArray(
  fc.record({
    nodeId: fc.nat(2 ** 32 - 1),
    score: fc.bigInt({ min: 0n, max: MAX }),
  }),
  { selector: ({ nodeId }) => nodeId, maxLength: 256 },
);

Deno.test("scores have one form, whatever their order", () => {
  fc.assert(
    fc.property(scores, fc.infiniteStream(fc.nat()), (given, random) => {
      const canonical = canonicalScores(given);
      const shuffled = given.map((each) => ({
        each,
        at: random.next().value as number,
      })).sort((a, b) => a.at - b.at).map(({ each }) => each);
      assertEquals(canonicalScores(shuffled), canonical);
      assertEquals(canonicalScores(canonical), canonical);
      assertEquals(
        canonical.map(({ nodeId }) => nodeId),
        given.map(({ nodeId }) => nodeId).sort((a, b) => a - b),
      );
      assertEquals(compareScores(given, canonical), []);
    }),
    { numRuns: 100 },
  );
});

Deno.test("scores that have no form are refused, and what scorers add is left out", () => {
  const one = { nodeId: 1, score: 1n };
  const cases: [readonly unknown[], RegExp][] = [
    [[one, one], /Node 1 is scored twice/],
    [[{ nodeId: 1, score: -1n }], /no u128/],
    [[{ nodeId: 1, score: MAX + 1n }], /no u128/],
    [[{ nodeId: 1, score: 1 }], /no u128/],
    [[{ nodeId: -1, score: 1n }], /no node id/],
    [[{ nodeId: 1.5, score: 1n }], /no node id/],
    [[{ nodeId: NaN, score: 1n }], /no node id/],
    [
      Array.from({ length: 257 }, (_, i) => ({ nodeId: i, score: 1n })),
      /257 nodes are more/,
    ],
  ];
  for (const [given, message] of cases) {
    assertThrows(() => canonicalScores(given as NodeScore[]), {
      code: "SCORES_INVALID",
      message,
    });
  }
  const extreme = [{ nodeId: 2, score: MAX }, { nodeId: 1, score: 0n }];
  const more = extreme.map((each) => ({ ...each, comment: "mine" }));
  assertEquals(canonicalScores(more), extreme.toReversed());
  assertEquals(canonicalScores([]), []);
});

Deno.test("a comparison names exactly the nodes that differ, ascending, with both scores", () => {
  fc.assert(
    fc.property(scores, scores, (proposed, own) => {
      const differences = compareScores(proposed, own);
      const theirs = new Map(proposed.map((each) => [each.nodeId, each.score]));
      const ours = new Map(own.map((each) => [each.nodeId, each.score]));
      const wanted = [...new Set([...theirs.keys(), ...ours.keys()])]
        .filter((id) => theirs.get(id) !== ours.get(id))
        .sort((a, b) => a - b);
      assertEquals(differences.map(({ nodeId }) => nodeId), wanted);
      for (const each of differences) {
        assertEquals(each.proposed, theirs.get(each.nodeId));
        assertEquals(each.own, ours.get(each.nodeId));
      }
    }),
    { numRuns: 100 },
  );
});
