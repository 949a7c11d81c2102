import {
  commitRevealRules,
  dhtId,
  encode,
  generateIdentity,
  type KeyRule,
  NO_SUBKEY,
  ownedSubkey,
  ownerMarker,
  RulesValidator,
} from "../../mod.ts";
import { concat } from "../../src/core/bytes.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { EpochTest, HEARTBEAT, LENGTH, secret } from "./epoch.ts";

const owner = generateIdentity();
const other = generateIdentity();

Deno.test("each kind has its window in the epoch, a block wide of it either way where that is harmless", () => {
  const block = 0.99 / LENGTH;
  for (
    const [key, open, shut] of [
      ["commit_epoch_7", [0.15 - block, 0.15, 0.3, 0.5], [0, 0.09, 0.51, 0.9]],
      ["consensus_epoch_7", [0.6 - block, 0.6, 0.99], [0, 0.5]],
      ["node", [0, 0.3, 0.5, 0.99], []],
    ] as const
  ) {
    for (const progress of [...open, ...shut]) {
      const test = new EpochTest();
      test.go(progress);
      const record = test.record(owner, key, new Uint8Array(32));
      const taken = test.store(record) === "ok";
      const should = (open as readonly number[]).includes(progress);
      assertEquals(taken, should, `${key} at ${progress}`);
    }
  }
});

Deno.test("windows follow the phases that a subnet has", () => {
  const phases = { commit: 0.3, reveal: 0.7, score: 0.8 };
  const test = new EpochTest({ rules: commitRevealRules(phases) });
  const commit = test.commit(owner, secret("a"));
  for (const [at, verdict] of [[0.2, "later"], [0.6, "ok"]] as const) {
    test.go(at);
    assertEquals(test.store(commit), verdict);
  }
  test.go(0.75);
  assertEquals(test.store(test.commit(other, secret("a"))), "refused");
});

Deno.test("what comes too early may come again, what comes too late may not", () => {
  const test = new EpochTest();
  const commit = test.commit(owner, secret("a"));
  test.go(0.05);
  assertEquals(test.store(commit), "later");
  test.go(0.51);
  assertEquals(test.store(commit), "refused");
  assertEquals(test.refusals("window"), 2);
});

Deno.test("the tolerance reaches over the end of an epoch, and is the rule's own", () => {
  const rule: KeyRule = { name: "prompt", key: (epoch) => `prompt_${epoch}` };
  for (const [late, verdict] of [[1, "ok"], [0, "refused"]] as const) {
    const rules = [{ ...rule, tolerance: { early: 1, late } }];
    const test = new EpochTest({ rules });
    const record = test.record(owner, "prompt_7", "text");
    test.go(0.5 / LENGTH, 8);
    assertEquals(test.store(record), verdict);
    test.go(1 - 0.5 / LENGTH, 6);
    assertEquals(test.store(record), "ok", "our clock is behind");
  }
});

Deno.test("records of other epochs are refused on store, and read while they can live", () => {
  const test = new EpochTest();
  test.go(0.3);
  for (const [epoch, read] of [[3, false], [5, true], [6, true], [9, false]]) {
    const key = `commit_epoch_${epoch}`;
    const record = test.record(owner, key, new Uint8Array(32), { lives: 0.1 });
    assertEquals(test.store(record), "refused", key);
    assertEquals(test.rules.validate(record, "get"), read, key);
  }
});

Deno.test("lives are bounded by the chain's epoch on every path, and must be numbers", () => {
  const test = new EpochTest();
  test.go(0.3);
  for (
    const [key, lives, taken] of [
      ["node", 1.1, true],
      ["node", 1.2, false],
      ["node", NaN, false],
      ["node", Infinity, false],
      ["commit_epoch_7", 2, true],
      ["commit_epoch_7", 2.1, false],
      ["commit_epoch_7", NaN, false],
    ] as const
  ) {
    const value = new Uint8Array(32);
    const record = {
      ...test.record(owner, key, value),
      expiration: test.epochsFromNow(lives),
    };
    const signed = Number.isFinite(lives)
      ? test.record(owner, key, value, { lives })
      : record;
    for (const type of ["post", "get", "copy"] as const) {
      assertEquals(
        test.rules.validate(signed, type, other.peerId),
        taken,
        `${type} ${key} ${lives}`,
      );
    }
  }
});

Deno.test("on a read, a record may live for so long from the end of its window only", () => {
  const test = new EpochTest();
  test.go(0.5, 8);
  const allowed = test.record(owner, "commit_epoch_7", new Uint8Array(32), {
    lives: 1,
  });
  const longer = test.record(owner, "commit_epoch_7", new Uint8Array(32), {
    lives: 1.1,
  });
  assert(test.rules.validate(allowed, "get"));
  assert(!test.rules.validate(longer, "get"));
});

Deno.test("keys that no rule is for are refused on store and read, unless a rule takes them", () => {
  const strict = new EpochTest();
  const open = new EpochTest({
    rules: [HEARTBEAT, { name: "other", owned: false, maxBytes: 100 }],
  });
  const record = strict.record(owner, "anything", 1);
  const plain = { ...record, subkey: NO_SUBKEY, value: encode(1) };
  for (const type of ["post", "get"] as const) {
    assert(!strict.rules.validate(record, type));
    assert(open.rules.validate(record, type));
    assert(open.rules.validate(plain, type));
  }
  const large = { ...plain, value: encode("x".repeat(200)) };
  assert(!open.rules.validate(large, "get"));
  assertEquals(strict.refusals("key"), 2);
  assertEquals(open.refusals("size"), 1);
});

Deno.test("a record belongs to the one peer whose subkey it is under", () => {
  const test = new EpochTest();
  const text = new TextEncoder();
  const own = ownedSubkey(owner);
  for (
    const subkey of [
      null,
      "text",
      ownerMarker(owner.openSsh),
      concat(text.encode("x"), own),
      concat(own, text.encode("x")),
      concat(text.encode(other.peerId), ownerMarker(owner.openSsh)),
    ]
  ) {
    const record = test.record(owner, "node", 1, { subkey });
    assert(!test.rules.validate(record, "post"));
    assert(!test.rules.validate(record, "get"));
  }
  assertEquals(test.store(test.record(owner, "node", 1)), "ok");
});

Deno.test("owners without stake are refused, and those not known yet may come again", () => {
  const stake = new Map<string, "staked" | "not-staked" | "unknown">();
  const owners = { peek: (peerId: string) => stake.get(peerId) };
  const test = new EpochTest({ owners });
  const record = test.record(owner, "node", 1);
  const verdicts = () =>
    (["post", "copy", "get"] as const).map((type) =>
      test.rules.judge(record, type, other.peerId)
    );
  assertEquals(verdicts(), ["later", "later", "refused"]);
  stake.set(owner.peerId, "not-staked");
  assertEquals(verdicts(), ["refused", "refused", "refused"]);
  stake.set(owner.peerId, "unknown");
  assertEquals(verdicts(), ["later", "later", "ok"], "the chain is away");
  stake.set(owner.peerId, "staked");
  assertEquals(verdicts(), ["ok", "ok", "ok"]);
});

Deno.test("before the chain was read, nothing is taken and everything may come again", () => {
  const test = new EpochTest();
  const records = [
    test.record(owner, "node", 1),
    test.commit(owner, secret("a")),
  ];
  test.at = undefined;
  for (const record of records) {
    assertEquals(test.store(record), "later");
    assert(!test.rules.validate(record, "get"));
  }
  test.go(0.3);
  for (const record of records) assertEquals(test.store(record), "ok");
});

Deno.test("a rule's own check decides on every path, and its error refuses", () => {
  const rules: KeyRule[] = [
    { name: "even", key: "even", check: ({ value }) => value[0] === 2 },
    {
      name: "broken",
      key: "broken",
      check: () => {
        throw new Error("a builder's mistake");
      },
    },
  ];
  const test = new EpochTest({ rules });
  for (const type of ["post", "get", "copy"] as const) {
    const judge = (key: string, value: number) =>
      test.rules.judge(test.record(owner, key, value), type, owner.peerId);
    assertEquals(judge("even", 2), "ok");
    assertEquals(judge("even", 3), "refused");
    assertEquals(judge("broken", 2), "refused");
  }
});

Deno.test("rules that do not fit together are refused by name", () => {
  const epochs = { now: () => undefined };
  for (
    const rules of [
      [HEARTBEAT, HEARTBEAT],
      [{ name: "a" }, { name: "b" }],
      [{ name: "a", key: "a", reveals: "none" }],
    ]
  ) {
    assertThrows(() => new RulesValidator({ rules, epochs }), {
      code: "RULES_INVALID",
    });
  }
});

Deno.test("keys are known in every epoch, after a leap too", () => {
  const test = new EpochTest();
  for (const epoch of [7, 8, 5_000, 0, 4_294_967_295]) {
    test.go(0.3, epoch);
    const record = test.record(owner, `commit_epoch_${epoch}`, dhtId("x"));
    assertEquals(test.store(record), "refused", "20 bytes are no commitment");
    const right = test.commit(owner, secret("a"), epoch);
    assertEquals(test.store(right), "ok", `epoch ${epoch}`);
  }
});
