import {
  CALL_QUOTAS,
  CallLimiter,
  type CallLimiterOptions,
  ESCALATION,
  ManualClock,
  MetricsRegistry,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

type Asked = Parameters<CallLimiter["admit"]>[0];

const { all, methods, unserved, streams, peersPerOrigin } = CALL_QUOTAS;

function setUp(options: CallLimiterOptions = {}) {
  const clock = new ManualClock(1_700_000_000_000);
  const metrics = new MetricsRegistry();
  const limiter = new CallLimiter({ clock, metrics, ...options });
  const banned: string[] = [];
  limiter.onBanned((peer) => banned.push(peer));
  const admit = (asked: Partial<Asked> = {}) =>
    limiter.admit({
      peer: "peer",
      what: { method: "own" },
      bytes: 0,
      ...asked,
    });
  /** How many of so many calls are let through. */
  const admitted = (count: number, asked: Partial<Asked> = {}) =>
    Array.from({ length: count }, () => admit(asked))
      .filter((limited) => limited === undefined).length;
  return { clock, metrics, limiter, banned, admit, admitted };
}

Deno.test("a peer has a burst, then a rate, and is told when to come back", async () => {
  const { clock, admit, admitted } = setUp();
  assertEquals(admitted(all.burst + 500), all.burst);
  assertEquals(admit(), {
    reason: "limited",
    retryAfter: ESCALATION.leastPause,
  });
  await clock.advance(1_000);
  assertEquals(admitted(1_000), all.perSecond);
});

Deno.test("peers do not share their quotas", () => {
  const { admitted } = setUp();
  admitted(all.burst + 1);
  assertEquals(admitted(100, { peer: "other" }), 100);
});

Deno.test("methods have quotas of their own, unknown ones share one", () => {
  const { admitted } = setUp();
  const ping = methods["dht.ping"]?.burst ?? 0;
  assertEquals(admitted(2 * ping, { what: { method: "dht.ping" } }), ping);
  assertEquals(admitted(100, { what: { method: "dht.find" } }), 100);
  assertEquals(admitted(100, { what: "unserved" }), unserved.burst);
  assertEquals(admitted(100, { what: "streams" }), streams.burst);
  const quota = { perSecond: 1, burst: 3, bytesPerToken: 10 };
  assertEquals(admitted(9, { what: { method: "dear" }, quota }), 3);
  // Not found by what every object has.
  assertEquals(admitted(9, { what: { method: "constructor" } }), 9);
});

Deno.test("long bodies cost more, and the longest passes when everything is at hand", async () => {
  const { clock, admitted } = setUp();
  const store = { what: { method: "dht.store" } } as const;
  const { burst = 0, bytesPerToken = 0 } = methods["dht.store"] ?? {};
  const bytes = 4 * 1024 * 1024;
  assertEquals(
    admitted(100, { ...store, bytes }),
    Math.floor(burst / (1 + bytes / bytesPerToken)),
  );
  await clock.advance(600_000);
  const quota = { perSecond: 1, burst: 3, bytesPerToken: 10 };
  assertEquals(admitted(2, { what: { method: "m" }, quota, bytes: 1_000 }), 1);
});

Deno.test("a peer at full speed is refused, then blocked, then banned, and others go on", async () => {
  const { clock, metrics, limiter, banned, admit, admitted } = setUp();
  const seen = new Set<string>();
  for (let i = 0; i < 100 && banned.length === 0; i++) {
    for (let j = 0; j < 1_000; j++) seen.add(admit()?.reason ?? "admitted");
    assertEquals(admitted(10, { peer: "honest" }), 10);
    await clock.advance(100);
  }
  assertEquals([...seen], ["admitted", "limited", "blocked", "banned"]);
  assertEquals(banned, ["peer"]);
  assertEquals(limiter.levelOf("peer"), "banned");
  assertEquals(limiter.levelOf("honest"), "good");
  const level = (level: string) =>
    metrics.get("meshnode_limiter_escalations_total", { level });
  assertEquals([level("blocked"), level("banned")], [1, 1]);
  assert(metrics.get("meshnode_limiter_refused_total", { reason: "limited" }));
  await clock.advance(3_600_000);
  assertEquals(limiter.levelOf("peer"), "good");
  assertEquals(admit(), undefined);
});

Deno.test("a peer that stops when it is told to is never worse off", async () => {
  const { clock, banned, admit, limiter } = setUp();
  for (let i = 0; i < 200; i++) {
    // What was under way when the first answer came is refused, too.
    const refused = Array.from({ length: 1_256 }, () => admit())
      .filter((limited) => limited !== undefined);
    for (const { reason } of refused) assertEquals(reason, "limited");
    await clock.advance(refused[0]?.retryAfter ?? 0);
  }
  assertEquals(banned, []);
  assertEquals(limiter.levelOf("peer"), "good");
});

Deno.test("the peers of one address share what some of them may have", () => {
  const { admitted } = setUp();
  const origin = "192.0.2.1";
  let through = 0;
  for (let i = 0; i < 4 * peersPerOrigin; i++) {
    through += admitted(all.burst, { peer: `peer-${i}`, origin });
  }
  assertEquals(through, peersPerOrigin * all.burst);
  assertEquals(
    admitted(10, { peer: "other", origin: "192.0.2.2" }),
    10,
    "other addresses are not held up",
  );
});

Deno.test("where identities are free, an address answers for its peers", async () => {
  const { clock, limiter, admitted } = setUp({ freeIdentities: true });
  const origin = "192.0.2.1";
  for (let peer = 0; peer < 4; peer++) {
    for (let i = 0; i < 100; i++) {
      admitted(1_000, { peer: `peer-${peer}`, origin });
      await clock.advance(100);
    }
  }
  assertEquals(limiter.levelOf("fresh", origin), "banned");
  assertEquals(admitted(1, { peer: "fresh", origin }), 0);
  assertEquals(limiter.levelOf("fresh", "192.0.2.2"), "good");
  const { limiter: staked, admitted: ask, clock: time } = setUp();
  for (let peer = 0; peer < 4; peer++) {
    for (let i = 0; i < 100; i++) {
      ask(1_000, { peer: `peer-${peer}`, origin });
      await time.advance(100);
    }
  }
  assertEquals(staked.levelOf("fresh", origin), "good");
});

Deno.test("a flood of identities is remembered within bounds and resets nobody's state", async () => {
  const { clock, limiter, admit, admitted } = setUp();
  admitted(all.burst);
  assertEquals(admit()?.reason, "limited");
  let through = 0;
  for (let i = 0; i < 10_000; i++) {
    through += admitted(2, { peer: `fresh-${i}`, origin: "192.0.2.1" });
  }
  const { peers, origins } = limiter.size;
  assert(peers <= 1_024 && origins <= 4_097, `${peers} ${origins}`);
  assert(through > all.burst, "the crowd has a share of its own");
  assertEquals(admit()?.reason, "limited", "the old state is there still");
  for (let i = 0; i < 10_000; i++) {
    admitted(1, { peer: `fresh-${i}`, origin: `10.0.${i >> 8}.${i & 255}` });
  }
  assert(limiter.size.origins <= 4_098, String(limiter.size.origins));
  await clock.advance(1_000);
  assertEquals(admitted(5, { peer: "late", origin: "203.0.113.1" }), 5);
  // Quiet ones are forgotten to make room.
  await clock.advance(120_000);
  admit({ peer: "later" });
  assert(limiter.size.peers < 10, String(limiter.size.peers));
});
