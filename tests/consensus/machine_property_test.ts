import fc from "fast-check";
import {
  type Action,
  epochPosition,
  type Event,
  INITIAL_STATE,
  type MachineRules,
  type Observation,
  type ObservedSubmission,
  type State,
  step,
} from "../../mod.ts";
import { assert } from "../assert.ts";
import {
  nodeOf,
  observation,
  SCORES,
  submissionBy,
  WORKING,
} from "./observations.ts";

/** Blocks of the first three epochs, and of the time before them. */
const BLOCKS = 63;
/** Blocks in which a call whose fate is unknown may still appear. */
const QUIET = 2;
const RUNS = 2_000;
/** The same orders in every run of the tests. */
const SEED = 1;

const epochs = fc.integer({ min: -1, max: 4 });
const blocks = fc.integer({ min: 0, max: BLOCKS });
/** Mostly the first value: a node that may vote, in a subnet that goes on. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const nodes = mostly(
  nodeOf("validator"),
  ...(["registered", "idle", "included", "validator"] as const).map((
    nodeClass,
  ) => nodeOf(nodeClass, 2)),
  nodeOf("included"),
  undefined,
);
const submissions = fc.option(
  fc.record({
    validatorId: fc.constantFrom(1, 2),
    attested: mostly(false, true),
    scores: mostly(SCORES, [], [{ nodeId: 9, score: 1n }]),
    queue: mostly<ObservedSubmission["queue"]>(
      "unchanged",
      ...["accepted", "refused"] as const,
    ),
  }).map(({ validatorId, ...more }) => submissionBy(validatorId, more)),
  { nil: undefined },
);

/** Anything that a node could see at a block, whether it makes sense or not. */
const observations: fc.Arbitrary<Observation> = fc.record({
  block: blocks,
  subnet: mostly<Observation["subnet"]>(
    "active",
    ...["missing", "registered", "waiting", "paused"] as const,
  ),
  joined: mostly(true, false),
  settled: mostly(true, false),
  node: nodes,
  elected: fc.constantFrom(1, 1, 2, 2, undefined),
  submission: submissions,
  mayAttest: mostly(true, false),
}).map(({ block, node, elected, submission, ...more }) => {
  const { node: _, elected: __, ...seen } = observation(block, more);
  return {
    ...seen,
    ...(node === undefined ? {} : { node }),
    ...(elected === undefined ? {} : { elected }),
    ...(submission === undefined ? {} : { submission }),
  };
});

/** Every kind of event, of any epoch. */
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: blockEvents(observations) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("scored" as const),
      epoch: epochs,
      scores: mostly(SCORES, []),
      queue: fc.constantFrom({}, { prioritize: 3 }),
      observation: observations,
    }),
  },
  fc.record({ type: fc.constant("preparing-failed" as const), epoch: epochs }),
  fc.record({
    type: fc.constantFrom("scoring-failed", "performing-failed"),
    epoch: epochs,
    reason: fc.constant("no"),
  }) as fc.Arbitrary<Event>,
  fc.record({
    type: fc.constant("sent" as const),
    epoch: epochs,
    block: blocks,
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("sending-failed" as const),
      epoch: epochs,
      block: blocks,
      final: mostly(false, true),
      reason: fc.constant("no"),
    }),
  },
  fc.record({ type: fc.constant("resumed" as const), block: blocks }),
  fc.record({
    type: fc.constant("performed" as const),
    epoch: epochs,
    observation: observations,
  }),
  fc.record({
    type: fc.constant("published" as const),
    epoch: epochs,
    what: fc.constantFrom("commit" as const, "reveal" as const),
    stored: fc.boolean(),
    complete: fc.boolean(),
  }),
);

function blockEvents(of: fc.Arbitrary<Observation>): fc.Arbitrary<Event> {
  return of.map((observation) => ({ type: "block", observation }));
}

/** An event of about a block and its epoch, or one from anywhere. */
function near(event: Event, block: number): Event {
  const { epoch } = epochPosition(block, 3, 20);
  const seen = "observation" in event
    ? { observation: observation(block, without(event.observation)) }
    : {};
  return {
    ...event,
    ...("epoch" in event ? { epoch } : {}),
    ...("block" in event ? { block } : {}),
    ...seen,
  } as Event;
}

/** What was seen besides where the block lies. */
function without(seen: Observation): Partial<Observation> {
  const { block: _, position: __, phase: ___, ...more } = seen;
  return { node: undefined, elected: undefined, ...more } as Partial<
    Observation
  >;
}

/** Time goes on with jumps back, some events come from anywhere, some once more, at once or much later. */
const orders = fc.array(
  fc.record({
    event: events,
    step: fc.integer({ min: -2, max: 3 }),
    isNear: fc.constantFrom(true, true, true, false),
    again: fc.option(fc.nat(30), { nil: undefined, freq: 3 }),
  }),
  { maxLength: 80, size: "max" },
).map((drawn) => {
  const order: Event[] = [];
  const later: Event[][] = [];
  let block = 0;
  for (const [i, { event: any, step, isNear, again }] of drawn.entries()) {
    block = Math.max(0, block + step);
    const event = isNear ? near(any, block) : any;
    order.push(event, ...later[i] ?? []);
    if (again !== undefined) (later[i + again] ??= []).push(event);
  }
  return order;
});

/** Runs events through the machine; tells of each step. */
function run(
  order: readonly Event[],
  look: (
    event: Event,
    before: State,
    after: State,
    actions: readonly Action[],
  ) => void,
  rules: MachineRules = WORKING,
): State {
  let state = INITIAL_STATE;
  for (const event of order) {
    const next = step(state, event, rules);
    look(event, state, next.state, next.actions);
    state = next.state;
  }
  return state;
}

function holds(property: (order: Event[]) => void): void {
  fc.assert(fc.property(orders, property), { numRuns: RUNS, seed: SEED });
}

Deno.test("no order of events, repeated and stale ones among them, makes the machine throw", () =>
  holds((order) => {
    run(order, () => {});
  }));

Deno.test("a call is not made again but after a failure or a restart, some blocks later, and never when it was taken", () => {
  let [first, again] = [0, 0];
  holds((order) => {
    /** Calls by kind and epoch: whether their fate is unknown, and until when one waits. */
    const made = new Map<string, { unknown: boolean; until: number }>();
    run(order, (event, before, after, actions) => {
      const { vote } = before;
      const busy = vote.name === "proposing" || vote.name === "attesting";
      if (busy && "epoch" in vote) {
        const call = made.get(`${vote.name} ${vote.epoch}`);
        const failed = event.type === "sending-failed" &&
          event.epoch === vote.epoch && !event.final;
        const gone = after.vote.name.startsWith("awaiting");
        if (
          call !== undefined && (failed || gone || event.type === "resumed")
        ) {
          const { block } = "observation" in event
            ? event.observation
            : event as { block: number };
          call.unknown = true;
          call.until = block + QUIET;
        }
      }
      for (const action of actions) {
        if (action.type !== "propose" && action.type !== "attest") continue;
        const name = action.type === "propose" ? "proposing" : "attesting";
        const call = made.get(`${name} ${action.epoch}`);
        const at = "observation" in event ? event.observation.block : -1;
        if (call === undefined) first++;
        else {
          again++;
          assert(call.unknown, `${action.type} ${action.epoch} made again`);
          assert(at >= call.until, `${action.type} made again at ${at}`);
        }
        made.set(`${name} ${action.epoch}`, { unknown: false, until: 0 });
      }
    });
  });
  assert(first > 200 && again > 20, `${first} calls, ${again} made again`);
});

Deno.test("nothing is proposed by who is not elected, or attested without an agreeing proposal", () =>
  holds((order) => {
    run(order, (event, _, __, actions) => {
      for (const action of actions) {
        if (action.type !== "propose" && action.type !== "attest") continue;
        assert("observation" in event);
        const { elected, node, submission, position } = event.observation;
        assert(position.epoch === action.epoch);
        if (action.type === "propose") {
          assert(node !== undefined && elected === node.id);
          assert(submission === undefined);
        } else {
          assert(submission !== undefined && !submission.attested);
          assert(submission.queue !== "refused");
        }
      }
    });
  }));

Deno.test("an epoch ends once for a node, and work once for an epoch", () =>
  holds((order) => {
    const ends = new Set<string>();
    run(order, (_, __, ___, actions) => {
      for (const action of actions) {
        if (action.type !== "report") continue;
        const { report } = action;
        if (report.kind !== "outcome" && report.kind !== "work") continue;
        const name = `${report.kind} ${report.epoch}`;
        assert(!ends.has(name), `${name} ends again`);
        ends.add(name);
      }
    });
  }));

Deno.test("only the window's own record is published, one at a time", () =>
  holds((order) => {
    run(order, (event, _, __, actions) => {
      const publications = actions.filter(({ type }) => type === "publish");
      assert(publications.length <= 1);
      for (const action of actions) {
        if (action.type !== "publish") continue;
        assert("observation" in event);
        assert(event.observation.phase === action.what);
        assert(event.observation.joined);
        assert(event.observation.position.epoch === action.epoch);
      }
    });
  }));

Deno.test("an event that repeats at once changes nothing but what was asked for anew", () =>
  holds((order) => {
    let state = INITIAL_STATE;
    for (const event of order) {
      state = step(state, event, WORKING).state;
      if (event.type === "resumed" || event.type === "block") continue;
      const again = step(state, event, WORKING);
      const calls = again.actions.filter(({ type }) =>
        type === "propose" || type === "attest" || type === "publish"
      );
      assert(calls.length === 0, `${event.type} twice: ${calls[0]?.type}`);
    }
  }));
