import {
  epochPosition,
  type Event,
  type Observation,
  ONE,
  type Outcome,
  step,
} from "../../mod.ts";
import { MACHINE_RULES } from "../../src/consensus/rules.ts";
import { assert, assertEquals } from "../assert.ts";
import {
  block,
  chance,
  nodeOf,
  observation,
  scored,
  SCORES,
  submissionBy,
  walk,
  WORKING,
} from "./observations.ts";

const OTHER = [{ nodeId: 2, score: ONE }];

Deno.test("the elected node scores, proposes and is done", () => {
  const { state, did } = walk([
    block(0),
    block(3),
    scored(3),
    { type: "sent", epoch: 0, block: 4 },
    block(4, { submission: submissionBy(1, { attested: true }) }),
  ]);
  assertEquals(did, ["score", "propose", "proposed"]);
  assertEquals(state.vote.name, "done");
});

Deno.test("the others wait for the proposal, and attest", () => {
  const { did } = walk([
    block(0),
    block(3, { elected: 2 }),
    scored(3, { elected: 2 }),
    block(4, { elected: 2 }),
    block(5, { elected: 2, submission: submissionBy(2) }),
    { type: "sent", epoch: 0, block: 6 },
  ]);
  assertEquals(did, ["score", "attest", "attested"]);
});

Deno.test("who saw no election yet waits for it, and for nobody's proposal", () => {
  const unknown = observation(4);
  const { elected: _, ...none } = unknown;
  const { did } = walk([
    block(0),
    block(3),
    { ...scored(3), observation: { ...none, block: 3 } } as Event,
    { type: "block", observation: none },
    block(5),
  ]);
  assertEquals(did, ["score", "propose"]);
});

Deno.test("each reason not to attest has its name", () => {
  const reasons: [Partial<Observation>, number, Outcome][] = [
    [{}, 9, "no-proposal"],
    [
      { submission: submissionBy(2), mayAttest: false },
      5,
      "not-an-attestor",
    ],
    [{ submission: submissionBy(2, { scores: [] }) }, 9, "disagreed"],
    [{ submission: submissionBy(2, { queue: "refused" }) }, 5, "queue-change"],
    [{ submission: submissionBy(2, { attested: true }) }, 5, "attested"],
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

Deno.test("a change of the queue that the policy accepts is attested", () => {
  const more = {
    elected: 2,
    submission: submissionBy(2, { queue: "accepted" }),
  };
  const { did } = walk([block(0), block(3, more), scored(3, more)]);
  assertEquals(did, ["score", "attest"]);
});

Deno.test("what differs is read anew, with growing pauses, until the cut-off", () => {
  const differs = {
    elected: 2,
    submission: submissionBy(2, { scores: OTHER }),
  };
  const events: Event[] = [block(0), block(3, differs), scored(3, differs)];
  const asked: [number, unknown][] = [];
  let { state } = walk(events);
  for (let at = 4; at < 12; at++) {
    if (state.vote.name === "scoring") {
      asked.push([at - 1, state.vote.only]);
      state = step(state, scored(at - 1, differs)).state;
    }
    state = step(state, block(at, differs)).state;
  }
  assertEquals(asked, [[3, [1, 2]], [4, [1, 2]], [6, [1, 2]]]);
  assertEquals(state.vote, { name: "done", epoch: 0, outcome: "disagreed" });
  const agreeing = step(
    walk([...events, scored(4, differs, OTHER)]).state,
    block(5, differs),
  );
  assertEquals(agreeing.state.vote.name, "attesting");
});

Deno.test("lower classes observe, and wait for their start", () => {
  for (const nodeClass of ["idle", "included"] as const) {
    const node = nodeOf(nodeClass);
    assertEquals(walk([block(0, { node }), block(3, { node })]).did, [
      "observed",
    ]);
  }
  const voteOf = (node: ReturnType<typeof nodeOf>) =>
    walk([block(3, { node })]).state.vote.name;
  assertEquals(voteOf(nodeOf("registered")), "awaiting-node");
  assertEquals(voteOf(nodeOf("validator", 5)), "awaiting-node");
});

Deno.test("what the next epoch is scored by is gathered once, after its cut-off", () => {
  const done: Event[] = [block(0), block(3), scored(3), {
    type: "sent",
    epoch: 0,
    block: 4,
  }];
  const blocks = Array.from({ length: 10 }, (_, i) => block(13 + i));
  const { did, state } = walk([...done, ...blocks]);
  assertEquals(did, ["score", "propose", "proposed", "prepare"]);
  assertEquals(state.vote, {
    name: "preparing",
    epoch: 1,
    asked: true,
    failures: 0,
  });
  const early = walk([...done, ...blocks.slice(0, 4)]);
  assertEquals(early.state.vote.name, "done", "block 15 is the cut-off itself");
  const failed: Event = { type: "preparing-failed", epoch: 1 };
  const again = walk([...done, block(17), failed, block(18), block(23)]);
  assertEquals(again.did.slice(3), ["prepare", "prepare", "score"]);
});

Deno.test("who comes in the middle of an epoch still votes before the cut-off, or when elected", () => {
  const other = { elected: 2 };
  assertEquals(walk([block(6, other)]).did, ["score"]);
  assertEquals(walk([block(12, other)]).did, []);
  assertEquals(walk([block(12)]).did, ["score"]);
  const late = { submission: submissionBy(1, { attested: true }) };
  assertEquals(walk([block(12, late)]).did, []);
  // What an earlier life sent may still appear: nothing is sent at once.
  const events = [block(12), scored(12), block(13), block(14)];
  assertEquals(walk(events.slice(0, 3)).did, ["score"]);
  assertEquals(walk(events).did, ["score", "propose"]);
});

Deno.test("nothing is scored while the node is not connected to the mesh", () => {
  const alone = { joined: false, settled: false };
  const { did } = walk([
    block(0, alone),
    block(3, alone),
    block(4, { ...alone, joined: true }),
    block(5),
  ]);
  assertEquals(did, ["score"]);
  const lost = walk([block(0, alone), block(3, alone), block(23, alone)]);
  assertEquals(lost.did, ["out-of-time"]);
});

Deno.test("a call that may be in is not repeated at once", () => {
  const failed: Event = {
    type: "sending-failed",
    epoch: 0,
    block: 4,
    final: false,
    reason: "lost",
  };
  const begun = [block(0), block(3), scored(3), failed, block(5)];
  assertEquals(walk([...begun, block(6)]).did, ["score", "propose", "propose"]);
  const arrived = { submission: submissionBy(1, { attested: true }) };
  assertEquals(walk([...begun, block(6, arrived)]).did, [
    "score",
    "propose",
    "proposed",
  ]);
});

Deno.test("a receipt that never comes is not waited for when the chain has the call", () => {
  const more = { elected: 2, submission: submissionBy(2) };
  const begun = [block(0), block(3, more), scored(3, more)];
  const arrived = {
    elected: 2,
    submission: submissionBy(2, { attested: true }),
  };
  const { did } = walk([...begun, block(5, arrived)]);
  assertEquals(did, ["score", "attest", "attested"]);
});

Deno.test("a restart asks anew, and looks before it sends anew", () => {
  const resumed = (at: number): Event => ({ type: "resumed", block: at });
  const scoring = walk([block(0), block(3)]).state;
  assertEquals(
    walk([resumed(4), block(4)], MACHINE_RULES, scoring).did,
    ["score"],
  );
  const proposing = walk([block(0), block(3), scored(3)]).state;
  const go = (...events: Event[]) =>
    walk([resumed(5), ...events], MACHINE_RULES, proposing).did;
  const arrived = { submission: submissionBy(1, { attested: true }) };
  assertEquals(go(block(5)), []);
  assertEquals(go(block(5), block(6, arrived)), ["proposed"]);
  assertEquals(go(block(5), block(6), block(7)), ["propose"]);
  assertEquals(go(block(23)), ["out-of-time", "score"]);
});

Deno.test("a dry run decides and sends nothing", () => {
  const dry = { ...MACHINE_RULES, dryRun: true };
  assertEquals(walk([block(0), block(3), scored(3)], dry).did, [
    "score",
    "proposed",
  ]);
  // What the key's real node did says nothing about ours.
  const more = {
    elected: 2,
    submission: submissionBy(2, { attested: true, scores: OTHER }),
  };
  assertEquals(
    walk([block(0), block(3, more), scored(3, more), block(9, more)], dry).did,
    ["score", "score"],
  );
});

Deno.test("a dry run begins at any block, for any class, and tells what differs", () => {
  const dry = { ...MACHINE_RULES, dryRun: true };
  const run = (more: Partial<Observation>) => {
    const { did, reports } = walk([block(17, more), scored(17, more)], dry);
    return [did, reports.map(({ differences }) => differences?.length)];
  };
  const agreed = { elected: 2, submission: submissionBy(2) };
  const other = { elected: 2, submission: submissionBy(2, { scores: OTHER }) };
  const idle = { ...other, node: nodeOf("idle"), mayAttest: false };
  assertEquals(run({}), [["score", "proposed"], [undefined]]);
  assertEquals(run(agreed), [["score", "attested"], [undefined]]);
  assertEquals(run(other), [["score", "disagreed"], [2]]);
  assertEquals(run(idle), [["score", "observed"], [2]]);
  assertEquals(run({ elected: 2 }), [["score", "no-proposal"], [undefined]]);
  // The elected would have proposed its own, whatever is there.
  assertEquals(run({ ...other, elected: 1 }), [["score", "proposed"], [2]]);
  const queue = {
    elected: 2,
    submission: submissionBy(2, { queue: "refused" }),
  };
  assertEquals(run(queue), [["score", "queue-change"], [undefined]]);
});

Deno.test("a dry run never sends nor publishes, whatever comes", () => {
  const dry = { ...WORKING, dryRun: true };
  const random = chance(41);
  for (let round = 0; round < 300; round++) {
    let { state } = walk([]);
    for (let at = 0; at < 60; at++) {
      const more: Partial<Observation> = {
        elected: 1 + random(2),
        node: nodeOf(random(4) === 0 ? "idle" : "validator"),
        mayAttest: random(5) > 0,
        ...(random(2) === 0 ? {} : {
          submission: submissionBy(1 + random(2), {
            attested: random(2) === 0,
            scores: random(2) === 0 ? SCORES : OTHER,
          }),
        }),
      };
      const { epoch } = observation(3 + at).position;
      const event: Event = random(3) > 0 ? block(3 + at, more) : {
        type: "scored",
        epoch,
        scores: SCORES,
        queue: {},
        observation: observation(3 + at, more),
      };
      const next = step(state, event, dry);
      for (const { type } of next.actions) {
        assert(["prepare", "score", "report"].includes(type), type);
      }
      state = next.state;
    }
  }
});

Deno.test("subnet and node are told of as they change", () => {
  const told: string[] = [];
  let state = walk([]).state;
  const queued = nodeOf("registered", 1);
  for (
    const more of [
      { subnet: "registered", node: queued },
      { subnet: "waiting", node: queued },
      { node: queued },
      { node: nodeOf("idle", 5) },
      { node: nodeOf("idle", 5) },
      { node: nodeOf("included", 7) },
      { node: nodeOf("validator", 9) },
      { subnet: "paused", node: nodeOf("validator", 9) },
      { node: nodeOf("validator", 9) },
      { subnet: "missing", node: undefined },
    ] as Partial<Observation>[]
  ) {
    const next = step(state, block(0, more));
    state = next.state;
    for (const action of next.actions) {
      if (action.type === "report" && action.report.kind === "life") {
        told.push(action.report.text);
      }
    }
  }
  assertEquals(told, [
    "the subnet is registered and not activated yet; " +
    "node 1 is registered and waits in the queue",
    "the subnet is activated, and consensus begins in a later epoch",
    "the subnet is active",
    "node 1 is idle: it is seen, and becomes included later",
    "node 1 is included: it is scored, and becomes a validator later",
    "node 1 is a validator from epoch 9: it proposes and attests",
    "the subnet is paused",
    "the subnet is active",
    "the chain has no such subnet: it was removed, or never registered; " +
    "node 1 was removed from the subnet",
  ]);
});

Deno.test("a subnet that pauses stops a vote at any moment, and it comes back by itself", () => {
  const paused = { subnet: "paused" } as const;
  for (const events of [[block(3)], [block(3), scored(3)]]) {
    const { state } = walk([block(0), ...events, block(5, paused)]);
    assertEquals(state.vote.name, "awaiting-activation");
    const back = walk([block(43)], MACHINE_RULES, state);
    assertEquals(back.did, ["score"]);
  }
});

Deno.test("whatever happens, states follow the table and nothing is sent twice at once", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = chance(seed);
    let state = walk([]).state;
    let sentAt = -Infinity;
    for (let at = 0; at < 200; at++) {
      const epoch = epochPosition(at, 3, 20).epoch;
      const joined = random(20) > 0;
      const more: Partial<Observation> = {
        elected: random(3),
        subnet: random(30) > 0 ? "active" : "paused",
        settled: joined,
        joined,
        ...random(30) > 0 ? {} : { node: nodeOf("included") },
        ...random(2) ? { submission: submissionBy(2) } : {},
      };
      const events: Event[] = [block(at, more)];
      const kind = random(6);
      if (kind === 0) events.push({ ...scored(at, more), epoch } as Event);
      const reason = "chance";
      if (kind === 1) events.push({ type: "scoring-failed", epoch, reason });
      if (kind === 2) {
        events.push({ type: "sent", epoch: epoch - random(2), block: at });
      }
      if (kind === 3) {
        const final = random(2) > 0;
        const details = { epoch, block: at, final, reason };
        events.push({ type: "sending-failed", ...details });
      }
      if (kind === 4) events.push({ type: "resumed", block: at });
      for (const event of events) {
        const next = walk([event], MACHINE_RULES, state);
        state = next.state;
        if (!next.did.includes("propose") && !next.did.includes("attest")) {
          continue;
        }
        assert(at > sentAt, `seed ${seed}, block ${at}`);
        sentAt = at;
      }
    }
  }
});

Deno.test("a subnet that is gone for a moment neither repeats a call nor ends an epoch twice", () => {
  const missing = { subnet: "missing" } as const;
  const proposing = [block(0), block(3), scored(3)];
  const gone = walk([...proposing, block(3, missing), block(3), scored(3)]);
  assertEquals(gone.did, ["score", "propose", "score"]);
  const go = (...events: Event[]) =>
    walk(events, MACHINE_RULES, gone.state).did;
  assertEquals(go(block(4)), []);
  assertEquals(go(block(4), block(5)), ["propose"]);
  const sent: Event = { type: "sent", epoch: 0, block: 4 };
  const over = walk([...proposing, sent, block(4, missing), block(5)]);
  assertEquals(over.did, ["score", "propose", "proposed"]);
  assertEquals(
    walk([block(17), block(23)], MACHINE_RULES, over.state).did,
    ["prepare", "score"],
  );
});

Deno.test("a call that fails does not shorten the wait for one before it", () => {
  const other = { submission: submissionBy(2), elected: 2 };
  const { state } = walk([
    block(0),
    block(3, other),
    scored(3, other),
    { type: "resumed", block: 6 },
    block(8),
    { type: "sending-failed", epoch: 0, block: 2, final: false, reason: "no" },
  ]);
  assert(state.vote.name === "comparing");
  assertEquals(state.vote.quietUntil, 8);
});

Deno.test("a block of an epoch that is left behind changes nothing", () => {
  const { state } = walk([block(0), block(23), scored(23)]);
  for (const stale of [3, 17, 22]) {
    assertEquals(step(state, block(stale)).state, state);
  }
});
