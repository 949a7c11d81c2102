import { fileURLToPath } from "node:url";
import { hasNamespaces } from "../../scripts/bench/loss/lan.ts";
import {
  type Fault,
  FAULT_KINDS,
  type FaultKind,
  faultPlan,
  PROCESS_FAULTS,
} from "../../scripts/system/faults.ts";
import { type EpochSeen, judge, type Up } from "../../scripts/system/judge.ts";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";

const SCRIPT = fileURLToPath(
  new URL("../../scripts/system/consensus.ts", import.meta.url),
);
const LENGTH = 20;
const ALWAYS: readonly Up[] = [{ from: 0, to: Infinity }];
const ALL = [ALWAYS, ALWAYS, ALWAYS, ALWAYS];

/** An epoch of 6 s in which everything went well. */
function seen(epoch: number, change: Partial<EpochSeen> = {}): EpochSeen {
  const start = 6_000 * epoch;
  return {
    epoch,
    start,
    quarter: start + 1_500,
    elected: 0,
    proposals: new Set(["0"]),
    proposer: 0,
    claims: new Set([0]),
    attested: new Set([0, 1, 2, 3]),
    ...change,
  };
}

const nothing = {
  proposals: new Set<string>(),
  proposer: undefined,
  claims: new Set<number>(),
  attested: new Set<number>(),
};

Deno.test("processes that are killed or cut off and brought back lose no epoch, and vote again", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read", "--allow-write"],
      ...["--allow-net=127.0.0.1", "--allow-sys", "--allow-run"],
      ...["--ignore-env", SCRIPT, "--epochs", "5", "--seed", "21632"],
    ],
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  assertEquals(code, 0, text);
  assertEquals(text.match(/^epoch \d+: validator-\d elected/gm)?.length, 5);
  assert(/, kill validator-\d/.test(text) && /, headless \d/.test(text), text);
  const cuts = /, cut validator-\d/.test(text);
  assertEquals(cuts, hasNamespaces(), text);
  assertEquals(text.includes("no network is cut"), !hasNamespaces(), text);
  assert(text.includes("2 faults, votes again after 2: passed"), text);
});

Deno.test("a seed always gives the same faults, and a validator has one at a time", () => {
  const plan = (seed: number, kinds: readonly FaultKind[]) =>
    faultPlan(seed, 50, LENGTH, 4, kinds);
  for (
    const kinds of [PROCESS_FAULTS, FAULT_KINDS]
  ) {
    assertEquals(plan(1, kinds), plan(1, kinds));
    assertNotEquals(plan(1, kinds), plan(2, kinds));
    const seen = new Set<FaultKind>();
    for (let seed = 0; seed < 200; seed++) {
      const faults = plan(seed, kinds);
      assert(faults.length > 10, `seed ${seed}: ${faults.length} faults`);
      faults.forEach(({ validators, kind, from, until }, i) => {
        seen.add(kind);
        assert(from < until && until <= 48 * LENGTH);
        const size = { split: 2, headless: 0 }[kind as string] ?? 1;
        assertEquals(new Set(validators).size, size);
        for (const each of validators) {
          const next = faults.slice(i + 1)
            .find(({ validators }) => validators.includes(each));
          assert(next === undefined || next.from >= until + 2 * LENGTH);
        }
      });
    }
    assertEquals([...seen].sort(), kinds.toSorted());
  }
});

Deno.test("a run in which all went well is not found fault with", () => {
  assertEquals(judge([seen(1), seen(2)], ALL, []), {
    broken: [],
    due: 2,
    reached: 2,
    faults: 0,
    votedAgain: 0,
  });
});

Deno.test("two proposals of an epoch, or one by a stranger, are found", () => {
  for (
    const change of [
      { proposals: new Set(["0", "1"]) },
      { claims: new Set([0, 1]) },
      { claims: new Set([1]) },
      { proposer: 1 },
    ]
  ) {
    const { broken } = judge([seen(1, change)], ALL, []);
    assert(broken.length > 0, JSON.stringify(change));
    assert(broken.every((each) => each.includes("Epoch 1 ")));
  }
});

Deno.test("an epoch without quorum counts when the elected and enough others were up", () => {
  const away: readonly Up[] = [{ from: 0, to: 6_100 }];
  const lost = [seen(1, nothing)];
  const broken = (...ups: (readonly Up[])[]) => judge(lost, ups, []).broken;
  assertEquals(broken(...ALL).length, 1);
  assertEquals(broken(ALWAYS, away, ALWAYS, ALWAYS).length, 1);
  assertEquals(broken(away, ALWAYS, ALWAYS, ALWAYS), []);
  assertEquals(broken(ALWAYS, away, away, ALWAYS), []);
  const two = seen(1, { attested: new Set([0, 1]) });
  assertEquals(judge([two], ALL, []).broken.length, 1);
  const three = seen(1, { attested: new Set([0, 1, 2]) });
  assertEquals(judge([three], ALL, []).broken, []);
});

Deno.test("a validator that came back and does not vote is found", () => {
  const fault: Fault = { validators: [3], kind: "kill", from: 10, until: 20 };
  const faults = [{ fault, begun: 6_500 }];
  const back = [ALWAYS, ALWAYS, ALWAYS, [
    { from: 0, to: 6_500 },
    { from: 11_000, to: Infinity },
  ]];
  const silent = { attested: new Set([0, 1, 2]) };
  const run = (...epochs: EpochSeen[]) => judge(epochs, back, faults);
  assertEquals(run(seen(1), seen(2, silent), seen(3)).votedAgain, 1);
  const never = run(seen(1), seen(2, silent), seen(3, silent), seen(4));
  assertEquals(never.votedAgain, 0);
  assertEquals(never.broken.length, 1);
  const gone = judge([seen(1), seen(2)], ALL, faults);
  assertEquals(gone.broken.length, 1, "it never came back at all");
});

Deno.test("of two validators that were split off, each has to vote again", () => {
  const fault: Fault = {
    validators: [2, 3],
    kind: "split",
    from: 10,
    until: 20,
  };
  const back: readonly Up[] = [
    { from: 0, to: 6_500 },
    { from: 11_000, to: Infinity },
  ];
  const run = (...attested: number[]) =>
    judge(
      [seen(1), ...[2, 3].map((i) => seen(i, { attested: new Set(attested) }))],
      [ALWAYS, ALWAYS, back, back],
      [{ fault, begun: 6_500 }],
    );
  const both = run(0, 1, 2, 3);
  assertEquals([both.faults, both.votedAgain, both.broken], [2, 2, []]);
  const one = run(0, 1, 2);
  assertEquals([one.faults, one.votedAgain, one.broken.length], [2, 1, 1]);
});
