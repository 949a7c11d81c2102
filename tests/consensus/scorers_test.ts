import {
  type LiveNode,
  type NodeClass,
  type NodeWork,
  ONE,
  PresenceScorer,
  RevealQualityScorer,
  type ScoringContext,
  type SubnetNodeInfo,
  wasOnline,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

const CUT_OFF = 1_000;

const node = (
  id: number,
  nodeClass: NodeClass = "validator",
  startEpoch = 0,
): SubnetNodeInfo => ({
  ...{ id, nodeClass, startEpoch, stake: ONE, reputation: ONE },
  ...{ hotkey: `0x${id}`, coldkey: `0x10${id}` },
  peer: { peerId: `peer-${id}`, multiaddr: undefined },
  bootnode: undefined,
  client: undefined,
});

const live = (
  id: number,
  info: Partial<LiveNode["info"]> = {},
  expiration = 2_000,
): LiveNode => ({
  peerId: `peer-${id}`,
  info: {
    ...{ state: "online", role: "validator", throughput: 1 },
    onlineSince: 500,
    ...info,
  },
  expiration,
});

const context = (more: Partial<ScoringContext>): ScoringContext => ({
  ...{ epoch: 5, cutOff: CUT_OFF, heardUntil: CUT_OFF },
  ...{ nodes: [], live: [], work: [] },
  previous: undefined,
  signal: new AbortController().signal,
  ...more,
});

Deno.test("a heartbeat tells whether its node was online at the cut-off, to the moment", () => {
  const cases: [Partial<LiveNode["info"]>, number, boolean][] = [
    [{ onlineSince: CUT_OFF }, 2_000, true],
    [{ onlineSince: CUT_OFF + 0.001 }, 2_000, false],
    [{}, CUT_OFF + 0.001, true],
    [{}, CUT_OFF, false],
    [{ state: "offline", offlineSince: CUT_OFF + 0.001 }, 2_000, true],
    [{ state: "offline", offlineSince: CUT_OFF }, 2_000, false],
    [{ state: "offline" }, 2_000, false],
    // Who joins anew was never away only if it says so.
    [{ state: "joining" }, 2_000, true],
    [{ state: "joining", onlineSince: undefined }, 2_000, false],
    [{ state: "online", onlineSince: undefined }, 2_000, true],
    // The time before counts, too, whatever came after it.
    [
      { onlineSince: 1_500, before: { since: 500, until: 1_200, left: true } },
      2_000,
      true,
    ],
    [
      { onlineSince: 1_500, before: { since: 500, until: 1_000, left: true } },
      2_000,
      false,
    ],
    [
      {
        onlineSince: 1_500,
        before: { since: 1_000, until: 1_100, left: true },
      },
      0,
      true,
    ],
    [
      {
        onlineSince: 1_500,
        before: { since: 1_001, until: 1_100, left: true },
      },
      0,
      false,
    ],
  ];
  for (const [info, expiration, online] of cases) {
    assertEquals(
      wasOnline(live(1, info, expiration), CUT_OFF),
      online,
      JSON.stringify([info, expiration]),
    );
  }
});

Deno.test("who vanished counts when known for long enough, and who left when it left late enough", () => {
  const heardUntil = CUT_OFF + 50;
  const before = (until: number, left: boolean) => ({
    onlineSince: 1_500,
    before: { since: 500, until, left },
  });
  const left = { state: "offline", offlineSince: CUT_OFF + 10 } as const;
  const cases: [Partial<LiveNode["info"]>, number, boolean][] = [
    [{}, heardUntil, false],
    [{}, heardUntil + 1, true],
    [left, CUT_OFF + 1, true],
    [{ ...left, offlineSince: CUT_OFF - 10 }, 2_000, false],
    [before(heardUntil, false), 2_000, false],
    [before(heardUntil + 1, false), 2_000, true],
    [before(CUT_OFF, true), 2_000, false],
    [before(CUT_OFF + 1, true), 2_000, true],
  ];
  for (const [info, expiration, online] of cases) {
    assertEquals(
      wasOnline(live(1, info, expiration), CUT_OFF, heardUntil),
      online,
      JSON.stringify([info, expiration]),
    );
  }
});

Deno.test("presence: included nodes and above that have started and were online", async () => {
  const scores = await new PresenceScorer().score(context({
    nodes: [
      node(1),
      node(2, "included", 5),
      node(3, "included", 6),
      node(4, "idle"),
      node(5, "registered"),
      node(6),
      node(7),
    ],
    live: [1, 2, 3, 4, 5].map((id) => live(id)).concat(
      live(6, { onlineSince: CUT_OFF + 1 }),
      live(99),
    ),
  }));
  assertEquals(scores, [1, 2].map((nodeId) => ({ nodeId, score: ONE })));
});

Deno.test("presence does not change with what happens after the cut-off", async () => {
  const nodes = [node(1), node(2)];
  const at = async (live: readonly LiveNode[]) =>
    await new PresenceScorer().score(context({ nodes, live }));
  const early = await at([live(1), live(2, { onlineSince: 1_100 })]);
  const late = await at([
    live(1, { state: "offline", offlineSince: 1_300 }, 9_000),
    live(2, { onlineSince: 1_100 }, 9_000),
  ]);
  assertEquals(early, [{ nodeId: 1, score: ONE }]);
  assertEquals(late, early);
});

const work = (id: number, result: string | undefined): NodeWork =>
  result === undefined ? { peerId: `peer-${id}`, standing: "withheld" } : {
    peerId: `peer-${id}`,
    standing: "valid",
    result: new TextEncoder().encode(result),
  };

async function rewarded(
  results: readonly (string | undefined)[],
  nodes: readonly SubnetNodeInfo[] = results.map((_, i) => node(i + 1)),
): Promise<number[]> {
  const scores = await new RevealQualityScorer().score(context({
    nodes,
    work: results.map((result, i) => work(i + 1, result)),
  }));
  assert(scores.every(({ score }) => score === ONE));
  return scores.map(({ nodeId }) => nodeId).sort((a, b) => a - b);
}

Deno.test("reveal quality: the result of more than half of those who revealed is right", async () => {
  assertEquals(await rewarded(["a", "a", "b"]), [1, 2]);
  assertEquals(await rewarded(["a", "b", "a", undefined]), [1, 3]);
  assertEquals(await rewarded(["a", "b"]), [], "half is no majority");
  assertEquals(await rewarded(["a", "a", "b", "b"]), []);
  assertEquals(await rewarded(["a"]), [1]);
  assertEquals(await rewarded([undefined, undefined]), []);
  assertEquals(await rewarded([]), []);
});

Deno.test("reveal quality: who has no say on the chain decides nothing and earns nothing", async () => {
  const results = ["a", "b", "b", "b"];
  const nodes = [node(1), node(2, "idle"), node(3, "validator", 6)];
  assertEquals(await rewarded(results, nodes), [1]);
});
