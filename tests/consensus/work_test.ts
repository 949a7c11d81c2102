import type { Event, Observation, State } from "../../mod.ts";
import { assertEquals } from "../assert.ts";
import {
  block,
  chance,
  nodeOf,
  observation,
  walk,
  WORKING,
} from "./observations.ts";

/** Votes are not what is looked at: somebody else's turn, and nobody's proposal. */
const at = (number: number, more: Partial<Observation> = {}) =>
  block(number, { elected: 2, ...more });
const performed = (number: number, epoch = 0): Event => ({
  type: "performed",
  epoch,
  observation: observation(number),
});
const published = (
  what: "commit" | "reveal",
  stored = true,
  complete = stored,
): Event => ({ type: "published", epoch: 0, what, stored, complete });
const resumed = (number: number): Event => ({ type: "resumed", block: number });

const WORDS = ["perform", "commit", "reveal", "revealed", "not-committed"];
const done = (events: readonly Event[], state?: State) => {
  const { did, state: after } = walk(events, WORKING, state);
  return {
    did: did.filter((word) => WORDS.includes(word) || word === "not-revealed"),
    work: after.work,
    state: after,
  };
};

Deno.test("work is done, committed and revealed, each in its window", () => {
  const { did, work } = done([
    at(3),
    performed(4),
    at(5),
    at(6),
    published("commit"),
    ...[7, 8, 9, 10, 11, 12].map((number) => at(number)),
    at(13),
    published("reveal"),
    at(14),
    at(15),
  ]);
  assertEquals(did, ["perform", "commit", "reveal", "revealed"]);
  assertEquals(work, { name: "resting", after: 0 });
});

Deno.test("a result that comes within the window is committed at once", () => {
  assertEquals(done([at(3), at(7), performed(7)]).did, ["perform", "commit"]);
});

Deno.test("without work, before the start, or below class Included nothing is done", () => {
  assertEquals(walk([at(3)]).did, ["score"]);
  const idle = { node: nodeOf("idle") };
  assertEquals(done([at(3, idle), at(4, idle)]).did, []);
  const early = { node: nodeOf("validator", 4) };
  assertEquals(done([at(3, early)]).did, []);
  const included = { node: nodeOf("included") };
  assertEquals(done([at(3, included)]).did, ["perform"]);
  assertEquals(done([at(13)]).did, [], "it is too late to commit");
});

Deno.test("what was taken by few is published again, as long as the window is open", () => {
  const begun = [at(3), performed(6), published("commit", true, false)];
  assertEquals(done([...begun, at(7)]).did, ["perform", "commit", "commit"]);
  const refused = [at(3), performed(6), published("commit", false)];
  assertEquals(done([...refused, at(7)]).did.at(-1), "commit");
  const revealed = [...begun, at(13), published("reveal", true, false), at(14)];
  assertEquals(done(revealed).did.slice(2), ["reveal", "reveal"]);
  assertEquals(done([...revealed, at(15)]).did.at(-1), "revealed");
});

Deno.test("a commit of which nobody knows whether it arrived is revealed", () => {
  const begun = [at(3), performed(6), published("commit", false)];
  assertEquals(done([...begun, at(13)]).did.at(-1), "reveal");
  assertEquals(done([at(3), performed(6), at(13)]).did.at(-1), "reveal");
});

Deno.test("each way to miss a window has its name", () => {
  assertEquals(done([at(3), at(13)]).did.at(-1), "not-committed");
  assertEquals(done([at(3), performed(4), at(13)]).did.at(-1), "not-committed");
  const committed = [at(3), performed(6), published("commit")];
  assertEquals(done([...committed, at(15)]).did.at(-1), "not-revealed");
  const lost = [...committed, at(13), published("reveal", false)];
  assertEquals(done([...lost, at(15)]).did.at(-1), "not-revealed");
  assertEquals(done([...committed, at(23)]).did.slice(2), [
    "not-revealed",
    "perform",
  ]);
});

Deno.test("work that fails is tried again, and given up after some failures", () => {
  const failed: Event = { type: "performing-failed", epoch: 0, reason: "no" };
  const events = [at(3), failed, at(4), failed, at(5)];
  assertEquals(done(events).did, ["perform", "perform", "perform"]);
  const more = [6, 7, 8, 9].flatMap((number) => [failed, at(number)]);
  assertEquals(done([...events, ...more]).did.at(-1), "not-committed");
});

Deno.test("nothing is published while the node is not connected to the mesh", () => {
  const alone = { joined: false, settled: false };
  const events = [at(3), performed(4), at(6, alone)];
  assertEquals(done(events).did, ["perform"]);
  assertEquals(done([...events, at(7)]).did, ["perform", "commit"]);
});

Deno.test("a node killed after any step goes on, and reveals what it committed", () => {
  const life = [
    at(3),
    performed(4),
    at(6),
    published("commit"),
    ...[7, 8, 9, 10, 11, 12].map((number) => at(number)),
    at(13),
    published("reveal"),
  ];
  for (let killed = 1; killed < life.length; killed++) {
    const before = done(life.slice(0, killed));
    const back = [6, 7, 13, 14].map((number) => number)
      .find((number) => number > lastBlock(life.slice(0, killed))) ?? 14;
    let { state } = done([resumed(back)], before.state);
    const did = [...before.did];
    for (let number = back; number < 16; number++) {
      const step = done([at(number)], state);
      did.push(...step.did);
      state = step.state;
      const asked = step.did.at(-1);
      const answer = asked === "perform"
        ? performed(number)
        : asked === "commit" || asked === "reveal"
        ? published(asked)
        : undefined;
      if (answer === undefined) continue;
      const answered = done([answer], state);
      did.push(...answered.did);
      state = answered.state;
      const next = answered.did.at(-1);
      if (next === "commit") state = done([published("commit")], state).state;
    }
    assertEquals(did.at(-1), "revealed", `killed after ${killed}: ${did}`);
  }
});

Deno.test("work that is done when its epoch is over is not published in the next one", () => {
  const { did, work } = done([at(3), performed(27, 0)]);
  assertEquals(did, ["perform", "not-committed"]);
  assertEquals(work, { name: "resting", after: 0 });
});

Deno.test("whatever happens, work follows its table", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = chance(seed);
    let state = done([]).state;
    for (let number = 0; number < 200; number++) {
      const epoch = Math.max(0, Math.floor((number - 3) / 20)) - random(2);
      const events: Event[] = [at(number, {
        joined: random(10) > 0,
        subnet: random(40) > 0 ? "active" : "paused",
      })];
      const kind = random(5);
      if (kind === 0) events.push(performed(number, epoch));
      if (kind === 1) {
        events.push({ type: "performing-failed", epoch, reason: "chance" });
      }
      if (kind === 2) {
        const what = random(2) ? "commit" : "reveal";
        const stored = random(2) > 0;
        const complete = stored && random(2) > 0;
        events.push({ type: "published", epoch, what, stored, complete });
      }
      if (kind === 3) events.push(resumed(number));
      state = done(events, state).state;
    }
  }
});

function lastBlock(events: readonly Event[]): number {
  return Math.max(
    ...events.map((event) =>
      event.type === "block" ? event.observation.block : 0
    ),
  );
}
