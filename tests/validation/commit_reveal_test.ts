import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  commitment,
  decode,
  encode,
  equal,
  generateIdentity,
  parseReveal,
  type Reveal,
  revealValue,
  Tuple,
} from "../../mod.ts";
import { concat } from "../../src/core/bytes.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { EpochTest, secret } from "./epoch.ts";

const owner = generateIdentity();
const other = generateIdentity();

Deno.test("a commitment is the hash that the documentation describes", () => {
  // ext tuple of: text, 7, text, bin, bin, written out by hand.
  const utf8 = new TextEncoder();
  const inner = concat(
    Uint8Array.of(0x95, 0xa0 + 21),
    utf8.encode("meshnode/commitment/1"),
    Uint8Array.of(7, 0xa0 + 5),
    utf8.encode("owner"),
    Uint8Array.of(0xc4, 16, ...Array(16).fill(1), 0xc4, 2, 8, 9),
  );
  const message = concat(Uint8Array.of(0xc7, inner.length, 0x40), inner);
  assertEquals(
    commitment(7, "owner", {
      salt: new Uint8Array(16).fill(1),
      data: Uint8Array.of(8, 9),
    }).toHex(),
    createHash("sha256").update(message).digest("hex"),
  );
});

Deno.test("commitments of different things differ", () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 64 });
  const made = fc.record({
    epoch: fc.nat(2 ** 32 - 1),
    owner: fc.string({ minLength: 1, maxLength: 60 }),
    salt: bytes,
    data: fc.uint8Array({ maxLength: 100 }),
  });
  fc.assert(fc.property(made, made, (a, b) => {
    const same = a.epoch === b.epoch && a.owner === b.owner &&
      equal(a.salt, b.salt) && equal(a.data, b.data);
    const hash = (of: typeof a) => commitment(of.epoch, of.owner, of).toHex();
    assertEquals(hash(a) === hash(b), same);
    // What moves from one part to the next is another thing.
    const moved = {
      ...a,
      salt: a.salt.subarray(0, -1),
      data: concat(a.salt.subarray(-1), a.data),
    };
    assert(hash(moved) !== hash(a));
  }));
});

Deno.test("a reveal survives its record", () => {
  const parts = fc.record({
    salt: fc.uint8Array({ minLength: 16, maxLength: 64 }),
    data: fc.uint8Array({ maxLength: 1_000 }),
  });
  fc.assert(fc.property(parts, (reveal) => {
    const { salt, data } = parseReveal(decode(encode(revealValue(reveal))));
    assert(equal(salt, reveal.salt) && equal(data, reveal.data));
  }));
});

Deno.test("what is no reveal is refused with a typed error", () => {
  const salt = new Uint8Array(32);
  for (
    const bad of [
      null,
      [salt, salt],
      new Tuple([salt]),
      new Tuple([salt, salt, salt]),
      new Tuple([salt, "data"]),
      new Tuple([new Uint8Array(15), salt]),
      new Tuple([new Uint8Array(65), salt]),
    ]
  ) assertThrows(() => parseReveal(bad), { code: "DECODE" });
});

Deno.test("a reveal is taken only if it opens its own owner's commit of its epoch", () => {
  const made = secret("the work");
  for (
    const [what, reveal, verdict] of [
      ["the right one", made, "ok"],
      ["other data", { ...made, data: secret("x").data }, "refused"],
      ["another salt", secret("the work"), "refused"],
    ] as [string, Reveal, string][]
  ) {
    const test = new EpochTest();
    test.go(0.3);
    assertEquals(test.store(test.commit(owner, made)), "ok");
    test.go(0.55);
    assertEquals(test.store(test.reveal(owner, reveal)), verdict, what);
  }
});

Deno.test("who copies another's commitment cannot open it", () => {
  const test = new EpochTest();
  test.go(0.3);
  const made = secret("the work");
  const copied = commitment(7, owner.peerId, made);
  assertEquals(test.store(test.commit(owner, made)), "ok");
  const stolen = test.record(other, "commit_epoch_7", copied);
  assertEquals(test.store(stolen), "ok", "nobody can tell yet");
  test.go(0.55);
  assertEquals(test.store(test.reveal(owner, made)), "ok");
  assertEquals(test.store(test.reveal(other, made)), "refused");
  assertEquals(test.refusals("commit"), 1);
});

Deno.test("a commitment of another epoch is not opened in this one", () => {
  const test = new EpochTest();
  const made = secret("the work");
  test.go(0.3, 7);
  const old = commitment(6, owner.peerId, made);
  test.store(test.record(owner, "commit_epoch_7", old));
  test.go(0.55, 7);
  assertEquals(test.store(test.reveal(owner, made)), "refused");
});

Deno.test("a commit that is held elsewhere is looked up, and a reveal without any may come again", async () => {
  const made = secret("the work");
  const asked: string[] = [];
  let answer: Uint8Array | undefined;
  const test = new EpochTest({
    commits: ({ rule, epoch, subkey }) => {
      asked.push(`${rule} ${epoch} ${subkey.length}`);
      if (answer?.length === 0) return Promise.reject(new Error("unreachable"));
      return Promise.resolve(answer);
    },
  });
  test.go(0.55);
  const reveal = test.reveal(owner, made);
  const judge = async () => {
    await test.rules.learn(reveal);
    return test.store(reveal);
  };
  assertEquals(await judge(), "later");
  answer = new Uint8Array();
  assertEquals(await judge(), "later", "a lookup that fails is none");
  answer = Uint8Array.of(0xc1);
  assertEquals(await judge(), "later", "nor is one that finds no commit");
  answer = encode(commitment(7, owner.peerId, made));
  assertEquals(await judge(), "ok");
  assertEquals(asked.length, 4);
  assertEquals(await judge(), "ok");
  assertEquals(asked.length, 4, "what is known is not asked for again");
});

Deno.test("lookups are one per commit at a time, and bounded", async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const test = new EpochTest({
    commits: () => {
      asked++;
      return promise;
    },
  });
  test.go(0.55);
  const made = secret("x");
  const reveal = test.reveal(owner, made);
  const waiting = Array.from({ length: 10 }, () => test.rules.learn(reveal));
  assertEquals(asked, 1);
  for (let i = 0; i < 100; i++) {
    waiting.push(test.rules.learn(test.reveal(generateIdentity(), made)));
  }
  assertEquals(asked, 32);
  resolve(undefined);
  await Promise.all(waiting);
});

Deno.test("nothing is looked up for records that would be refused anyway", async () => {
  let asked = 0;
  const test = new EpochTest({
    owners: { peek: () => "not-staked" },
    commits: () => {
      asked++;
      return Promise.resolve(undefined);
    },
  });
  test.go(0.55);
  await test.rules.learn(test.reveal(owner, secret("x")));
  await test.rules.learn(test.record(owner, "node", 1));
  await test.rules.learn(test.record(owner, "nothing", 1));
  assertEquals(asked, 0);
});
