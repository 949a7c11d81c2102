import { type Bytes, generateIdentity, ManualClock } from "../../mod.ts";
import {
  type AuthRefusal,
  ProofOfStakeAuthorizer,
  SignatureAuthorizer,
  type StakeAnswer,
} from "../../src/auth/mod.ts";
import { ReplayWindow } from "../../src/auth/replay_window.ts";
import { assertEquals, assertRejects } from "../assert.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function setUp(type: "ed25519" | "rsa" = "ed25519") {
  const clock = new ManualClock(1_700_000_000_000);
  const [a, b, c] = [
    generateIdentity(type),
    generateIdentity(),
    generateIdentity(),
  ];
  const authorizer = (identity = a, bounds = {}) =>
    new SignatureAuthorizer(identity, clock, { bounds });
  return { clock, a, b, c, authorizer };
}

const request = (peer: string, body: Uint8Array = bytes("body")) => ({
  method: "dht.store",
  peer,
  body,
});

const refused = (check: Promise<void>, refusal: AuthRefusal) =>
  assertRejects(check, { name: "AuthError", refusal });

for (const type of ["ed25519", "rsa"] as const) {
  Deno.test(`a request and its answer are accepted between peers (${type})`, async () => {
    const { a, b, authorizer } = setUp(type);
    const caller = authorizer(a);
    const server = authorizer(b);
    const auth = caller.signRequest(request(b.peerId));
    await server.checkRequest(request(a.peerId), auth);
    const answer = { request: auth, kind: 3, sequence: 0, body: bytes("ok") };
    const signed = server.signResponse({ ...answer, peer: a.peerId });
    await caller.checkResponse({ ...answer, peer: b.peerId }, signed);
  });
}

Deno.test("a request is accepted once, and by its recipient only", async () => {
  const { a, b, c, authorizer } = setUp();
  const auth = authorizer(a).signRequest(request(b.peerId));
  const server = authorizer(b);
  await server.checkRequest(request(a.peerId), auth);
  await refused(server.checkRequest(request(a.peerId), auth), "replayed");
  await refused(
    authorizer(c).checkRequest(request(a.peerId), auth),
    "bad-signature",
  );
});

Deno.test("a request relayed by another peer is refused", async () => {
  const { a, b, c, authorizer } = setUp();
  const auth = authorizer(a).signRequest(request(b.peerId));
  await refused(
    authorizer(b).checkRequest(request(c.peerId), auth),
    "foreign-key",
  );
});

Deno.test("every altered byte of a request is noticed", async () => {
  const { a, b, authorizer } = setUp();
  const server = authorizer(b);
  const auth = authorizer(a).signRequest(request(b.peerId));
  const altered = (facts: object) =>
    server.checkRequest({ ...request(a.peerId), ...facts }, auth);
  await refused(altered({ method: "dht.find" }), "bad-signature");
  await refused(altered({ body: bytes("bodz") }), "bad-signature");
  await refused(altered({ body: bytes("") }), "bad-signature");
  for (let i = 0; i < auth.length; i++) {
    const bad = auth.slice();
    bad[i] = (bad[i] as number) ^ 1;
    await assertRejects(server.checkRequest(request(a.peerId), bad), {
      name: "AuthError",
    });
  }
  for (let length = 0; length < auth.length; length++) {
    const bad = auth.slice(0, length);
    await assertRejects(server.checkRequest(request(a.peerId), bad), {
      name: "AuthError",
    });
  }
  await server.checkRequest(request(a.peerId), auth);
});

Deno.test("a request is fresh for a minute, before and after", async () => {
  const { clock, a, b, authorizer } = setUp();
  const late = authorizer(a).signRequest(request(b.peerId));
  await clock.advance(60_001);
  await refused(
    authorizer(b).checkRequest(request(a.peerId), late),
    "outside-window",
  );
  const behind = new SignatureAuthorizer(b, new ManualClock(1_700_000_000_000));
  const early = authorizer(a).signRequest(request(b.peerId));
  await refused(
    behind.checkRequest(request(a.peerId), early),
    "outside-window",
  );
});

Deno.test("replays stay refused for as long as the request is fresh", async () => {
  const { clock, a, b, authorizer } = setUp();
  const server = authorizer(b);
  const ahead = new ManualClock(1_700_000_060_000);
  const auth = new SignatureAuthorizer(a, ahead).signRequest(request(b.peerId));
  await server.checkRequest(request(a.peerId), auth);
  for (let i = 0; i < 11; i++) {
    await clock.advance(10_000);
    await refused(server.checkRequest(request(a.peerId), auth), "replayed");
  }
});

Deno.test("a peer that fills its window harms only itself", async () => {
  const { clock, a, b, c, authorizer } = setUp();
  const server = authorizer(b, { noncesPerPeer: 3 });
  const send = (from = a) =>
    server.checkRequest(
      request(from.peerId),
      authorizer(from).signRequest(request(b.peerId)),
    );
  for (let i = 0; i < 3; i++) await send();
  await refused(send(), "window-full");
  await send(c);
  await clock.advance(120_000);
  await send();
});

Deno.test("answers are bound to their request, peer, kind, order and bytes", async () => {
  const { a, b, c, authorizer } = setUp();
  const caller = authorizer(a);
  const auth: Bytes = caller.signRequest(request(b.peerId));
  const other: Bytes = caller.signRequest(request(b.peerId));
  const answer = { request: auth, kind: 4, sequence: 1, body: bytes("ok") };
  const signed = authorizer(b).signResponse({ ...answer, peer: a.peerId });
  const check = (facts: object) =>
    caller.checkResponse({ ...answer, peer: b.peerId, ...facts }, signed);
  await check({});
  await refused(check({ request: other }), "bad-signature");
  await refused(check({ sequence: 2 }), "bad-signature");
  await refused(check({ kind: 5 }), "bad-signature");
  await refused(check({ body: bytes("no") }), "bad-signature");
  await refused(check({ peer: c.peerId }), "foreign-key");
});

Deno.test("stake is asked for last, in both directions, in three answers", async () => {
  const { a, b, authorizer } = setUp();
  const asked: string[] = [];
  let answer: StakeAnswer = "staked";
  let local = false;
  const withStake = (identity: typeof a) =>
    new ProofOfStakeAuthorizer(authorizer(identity), {
      peek: () => local ? answer : undefined,
      check: (peer) => {
        asked.push(peer);
        return Promise.resolve(answer);
      },
    });
  const caller = withStake(a);
  const server = withStake(b);
  const fresh = () => caller.signRequest(request(b.peerId));
  await server.checkRequest(request(a.peerId), fresh());
  assertEquals(asked, [a.peerId]);
  local = true;
  await server.checkRequest(request(a.peerId), fresh());
  assertEquals(asked.length, 1, "what is known is not asked");
  for (
    const [is, refusal] of [
      ["not-staked", "not-staked"],
      ["unknown", "stake-unknown"],
    ] as const
  ) {
    answer = is;
    const auth = fresh();
    await refused(server.checkRequest(request(a.peerId), auth), refusal);
    const response = { request: auth, kind: 3, sequence: 0, body: bytes("ok") };
    const signed = server.signResponse({ ...response, peer: a.peerId });
    await refused(
      caller.checkResponse({ ...response, peer: b.peerId }, signed),
      refusal,
    );
  }
  local = false;
  const before = asked.length;
  await refused(
    server.checkRequest(request(a.peerId, bytes("altered")), fresh()),
    "bad-signature",
  );
  assertEquals(asked.length, before, "a bad signature asks no chain");
});

Deno.test("a method that asks for a class refuses nodes of a lower one", async () => {
  const { a, b, authorizer } = setUp();
  const server = new ProofOfStakeAuthorizer(authorizer(b), {
    peek: (_, minClass) => minClass === "validator" ? "not-staked" : "staked",
    check: () => Promise.reject(new Error("nothing is to be asked")),
  });
  const check = (minClass?: "validator" | "idle") =>
    server.checkRequest(
      { ...request(a.peerId), minClass },
      authorizer(a).signRequest(request(b.peerId)),
    );
  await check();
  await check("idle");
  await refused(check("validator"), "low-class");
});

Deno.test("how old and how early a request may be are options of their own", async () => {
  const { clock, a, b } = setUp();
  const at = (seconds: number) =>
    new SignatureAuthorizer(a, new ManualClock(clock.now() + 1_000 * seconds))
      .signRequest(request(b.peerId));
  const server = new SignatureAuthorizer(b, clock, { window: 10, skew: 2 });
  for (const seconds of [-10, 0, 2]) {
    await server.checkRequest(request(a.peerId), at(seconds));
  }
  for (const seconds of [-10.1, 2.1, 60, NaN, Infinity, -Infinity]) {
    await refused(
      server.checkRequest(request(a.peerId), at(seconds)),
      "outside-window",
    );
  }
});

Deno.test("an early request cannot be repeated for as long as it would be fresh", async () => {
  const { clock, a, b } = setUp();
  const server = new SignatureAuthorizer(b, clock, { window: 10, skew: 30 });
  const early = new SignatureAuthorizer(
    a,
    new ManualClock(clock.now() + 30_000),
  )
    .signRequest(request(b.peerId));
  await server.checkRequest(request(a.peerId), early);
  for (let second = 1; second <= 40; second++) {
    await clock.advance(1_000);
    await refused(server.checkRequest(request(a.peerId), early), "replayed");
  }
  await clock.advance(1_000);
  await refused(
    server.checkRequest(request(a.peerId), early),
    "outside-window",
  );
});

Deno.test("a flood of peers is remembered within bounds, and locks nobody out", () => {
  const window = new ReplayWindow(60_000, { noncesPerPeer: 10, peers: 100 });
  let now = 0;
  assertEquals(window.admit("busy", "first", now), "new");
  for (let i = 0; i < 10_000; i++) {
    now += 1;
    assertEquals(window.admit(`fresh-${i}`, "nonce", now), "new");
    if (i % 50 === 0) assertEquals(window.admit("busy", "first", now), "seen");
  }
  assertEquals(window.size, 100);
  assertEquals(window.admit("busy", "first", now), "seen");
});
