import { generateIdentity, type KeyRule, Quotas } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { EpochTest, HEARTBEAT, secret } from "./epoch.ts";

const owner = generateIdentity();
const other = generateIdentity();

Deno.test("an owner stores a hundred heartbeats in an epoch, and again in the next", () => {
  const test = new EpochTest();
  const beat = (i: number) => test.record(owner, "node", i);
  for (let i = 0; i < 100; i++) assertEquals(test.store(beat(i)), "ok");
  assertEquals(test.store(beat(100)), "refused");
  assertEquals(
    test.store(beat(99)),
    "ok",
    "what is held already costs nothing",
  );
  assertEquals(test.store(test.record(other, "node", 1)), "ok");
  test.go(0, 8);
  assertEquals(test.store(beat(100)), "ok");
});

Deno.test("replaying an owner's old records costs the owner nothing", () => {
  const test = new EpochTest();
  const first = test.record(owner, "node", 0);
  assertEquals(test.store(first), "ok");
  for (let i = 0; i < 1_000; i++) {
    // Judged, and found older by the storage: nothing is charged.
    test.rules.judge(first, "post", other.peerId);
  }
  for (let i = 1; i < 100; i++) {
    assertEquals(test.store(test.record(owner, "node", i)), "ok");
  }
});

Deno.test("who hands over another's records pays for them", () => {
  const quotas = new Quotas({ ownersPerSender: 2 });
  const test = new EpochTest();
  const give = (i: number, sender: string) => {
    const record = test.record(owner, "node", i);
    const rule: KeyRule = { ...HEARTBEAT, quota: 3 };
    const charge = { rule, epoch: 7, owner: owner.peerId, sender, record };
    const allowed = quotas.allows(charge);
    if (allowed) quotas.charge(charge);
    return allowed;
  };
  const taken = (sender: string, from: number) =>
    Array.from({ length: 10 }, (_, i) => give(from + i, sender))
      .filter((allowed) => allowed).length;
  assertEquals(taken(other.peerId, 0), 6, "three for each of two owners");
  assertEquals(taken(owner.peerId, 100), 3, "the owner's own are all left");
  assertEquals(taken("third", 200), 6);
});

Deno.test("a commit is made once: the same again is idempotent, another is refused whoever sends it", () => {
  const test = new EpochTest();
  test.go(0.3);
  const first = test.commit(owner, secret("a"));
  const second = test.commit(owner, secret("b"), 7, 1.5);
  assertEquals(test.store(first), "ok");
  assertEquals(test.store(first), "ok");
  assertEquals(test.store(first, other, "copy"), "ok");
  for (const sender of [owner, other, undefined]) {
    assertEquals(test.store(second, sender), "refused");
    assertEquals(test.store(second, sender, "copy"), "refused");
  }
  assertEquals(test.store(test.commit(other, secret("b"))), "ok");
});

Deno.test("a copy that came first leaves the owner room for the same, and for no other", () => {
  const test = new EpochTest();
  test.go(0.3);
  const first = test.commit(owner, secret("a"));
  assertEquals(test.store(first, other, "copy"), "ok");
  assertEquals(test.store(first, owner), "ok");
  assertEquals(test.store(test.commit(owner, secret("b")), owner), "refused");
});

Deno.test("after the window members hand copies on, and the owner's word is not enough", () => {
  const test = new EpochTest();
  const commit = test.commit(owner, secret("a"), 7, 1.5);
  test.go(0.8);
  assertEquals(test.store(commit, owner, "copy"), "refused");
  assertEquals(test.store(commit, other, "post"), "refused");
  assertEquals(test.store(commit, other, "copy"), "ok");
  test.go(0.05);
  const early = test.commit(other, secret("a"));
  assertEquals(test.store(early, owner, "copy"), "later", "no copy exists yet");
});

Deno.test("what a replica repairs by itself costs the owner nothing", () => {
  const test = new EpochTest();
  for (let i = 0; i < 100; i++) {
    const record = test.record(owner, "node", i);
    assertEquals(test.store(record, undefined, "copy"), "ok");
  }
  assertEquals(test.store(test.record(owner, "node", 100), owner), "ok");
});

Deno.test("accounts are bounded, and those of past epochs are forgotten", () => {
  const quotas = new Quotas({ accounts: 10, epochs: 2 });
  const test = new EpochTest();
  const record = test.record(owner, "node", 1);
  const charge = (epoch: number, name: string) => ({
    rule: HEARTBEAT,
    epoch,
    owner: name,
    record,
  });
  for (let i = 0; i < 10; i++) {
    assert(quotas.allows(charge(1, `${i}`)));
    quotas.charge(charge(1, `${i}`));
  }
  assert(!quotas.allows(charge(1, "one more")));
  assert(quotas.allows(charge(1, "3")), "the known ones go on");
  for (const epoch of [2, 3]) quotas.charge(charge(epoch, "a"));
  assert(quotas.allows(charge(1, "one more")), "epoch 1 is forgotten");
});

Deno.test("records without an owner are charged to their sender", () => {
  const rule: KeyRule = { name: "open", key: "open", owned: false, quota: 2 };
  const test = new EpochTest({ rules: [rule] });
  const store = (i: number, sender = owner) =>
    test.store(test.record(owner, "open", i, { subkey: i }), sender);
  assertEquals([store(1), store(2), store(3)], ["ok", "ok", "refused"]);
  assertEquals(store(4, other), "ok");
});
