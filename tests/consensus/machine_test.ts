import {
  epochPosition,
  type Event,
  INITIAL_STATE,
  type NodeClass,
  type Observation,
  ONE,
  type Outcome,
  type State,
  step,
  TRANSITIONS,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

const SCORES = [{ nodeId: 1, score: ONE }];

/** A source of chance that repeats itself from its seed. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function observation(block: number, more: Partial<Observation> = {}) {
  const seen: Observation = {
    block,
    active: true,
    position: epochPosition(block, 3, 20),
    node: nodeOf("validator"),
    elected: 1,
    submission: undefined,
    attestors: [1, 2],
    ...more,
  };
  return seen;
}

function nodeOf(nodeClass: NodeClass, startEpoch = 0) {
  return {
    id: 1,
    hotkey: "0x",
    coldkey: "0x",
    peer: { peerId: "p", multiaddr: undefined },
    bootnode: undefined,
    client: undefined,
    nodeClass,
    startEpoch,
    stake: 0n,
    reputation: ONE,
  };
}

const submissionBy = (
  validatorId: number,
  attested: readonly number[] = [],
) => ({
  validatorId,
  block: 1,
  attestations: new Map(
    [validatorId, ...attested].map((id) => [id, { block: 1, data: undefined }]),
  ),
  scores: SCORES,
  electorate: [1, 2],
  prioritizeQueueNodeId: undefined,
  removeQueueNodeId: undefined,
});

function walk(events: readonly Event[]) {
  let state: State = INITIAL_STATE;
  const did: string[] = [];
  for (const event of events) {
    const next = step(state, event);
    assert(
      next.state.name === state.name ||
        TRANSITIONS[state.name].includes(next.state.name),
      `${state.name} to ${next.state.name}`,
    );
    state = next.state;
    did.push(
      ...next.actions.flatMap((action) =>
        action.type === "report"
          ? action.report.kind === "outcome" ? [action.report.outcome] : []
          : [action.type]
      ),
    );
  }
  return { state, did };
}

const block = (number: number, more?: Partial<Observation>): Event => ({
  type: "block",
  observation: observation(number, more),
});
const scored = (number: number, more?: Partial<Observation>): Event => ({
  type: "scored",
  epoch: 0,
  scores: SCORES,
  observation: observation(number, more),
});

Deno.test("the elected node scores, proposes and is done", () => {
  const { state, did } = walk([
    block(0),
    block(3),
    scored(3),
    { type: "sent", epoch: 0 },
    block(4, { submission: submissionBy(1) }),
  ]);
  assertEquals(did, ["score", "propose", "proposed"]);
  assertEquals(state.name, "done");
});

Deno.test("the others wait for the proposal, and attest", () => {
  const { did } = walk([
    block(0),
    block(3, { elected: 2 }),
    scored(3, { elected: 2 }),
    block(4, { elected: 2 }),
    block(5, { elected: 2, submission: submissionBy(2) }),
    { type: "sent", epoch: 0 },
  ]);
  assertEquals(did, ["score", "attest", "attested"]);
});

Deno.test("each reason not to attest has its name", () => {
  const reasons: [Partial<Observation>, number, Outcome][] = [
    [{ submission: undefined }, 9, "no-proposal"],
    [{ submission: submissionBy(2), attestors: [2] }, 5, "not-an-attestor"],
    [{ submission: { ...submissionBy(2), scores: [] } }, 9, "disagreed"],
    [
      { submission: { ...submissionBy(2), removeQueueNodeId: 4 } },
      5,
      "queue-change",
    ],
    [{ submission: submissionBy(2, [1]) }, 5, "attested"],
  ];
  for (const [more, at, outcome] of reasons) {
    const { did } = walk([
      block(0),
      block(3, { elected: 2 }),
      scored(3, { elected: 2 }),
      block(at, { elected: 2, ...more }),
    ]);
    assertEquals(did, ["score", outcome]);
  }
});

Deno.test("lower classes observe, and wait for their start", () => {
  for (const nodeClass of ["idle", "included"] as const) {
    const node = nodeOf(nodeClass);
    assertEquals(walk([block(0, { node }), block(3, { node })]).did, [
      "observed",
    ]);
  }
  const queued = nodeOf("registered");
  assertEquals(walk([block(3, { node: queued })]).state.name, "awaiting-node");
  const early = nodeOf("validator", 5);
  assertEquals(walk([block(3, { node: early })]).state.name, "awaiting-node");
});

Deno.test("a call that may be in is not repeated at once", () => {
  const failed: Event = {
    type: "sending-failed",
    epoch: 0,
    block: 4,
    final: false,
    reason: "lost",
  };
  const { did } = walk([
    block(0),
    block(3),
    scored(3),
    failed,
    block(5),
    block(6),
  ]);
  assertEquals(did, ["score", "propose", "propose"]);
});

Deno.test("whatever happens, states follow the table and nothing is sent twice", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = chance(seed);
    const events: Event[] = [];
    for (let at = 0; at < 200; at++) {
      const epoch = epochPosition(at, 3, 20).epoch;
      const more: Partial<Observation> = {
        elected: random(3) || undefined,
        active: random(30) > 0,
        node: random(30) > 0 ? nodeOf("validator") : undefined,
        submission: random(2)
          ? submissionBy(2, random(4) ? [] : [1])
          : undefined,
      };
      events.push(block(at, more));
      const kind = random(5);
      const seen = observation(at, more);
      if (kind === 0) {
        events.push({
          type: "scored",
          epoch,
          scores: SCORES,
          observation: seen,
        });
      }
      if (kind === 1) events.push({ type: "scoring-failed", epoch });
      if (kind === 2) events.push({ type: "sent", epoch: epoch - random(2) });
      if (kind === 3) {
        events.push({
          type: "sending-failed",
          epoch,
          block: at,
          final: random(2) > 0,
          reason: "chance",
        });
      }
    }
    walk(events);
  }
});
