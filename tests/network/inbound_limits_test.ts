import { multiaddr } from "@multiformats/multiaddr";
import { INBOUND_QUOTAS, ManualClock, MetricsRegistry } from "../../mod.ts";
import { InboundLimits } from "../../src/network/inbound_limits.ts";
import { type Origin, originOf } from "../../src/network/origin.ts";
import { Refusals } from "../../src/network/refusals.ts";
import { assert, assertEquals } from "../assert.ts";

const { attempts, handshakes, connections } = INBOUND_QUOTAS.address;
const from = (group: string): Origin => ({ group, loopback: false });

function setUp() {
  const clock = new ManualClock(1_000_000);
  const limits = new InboundLimits(INBOUND_QUOTAS, clock);
  const begin = (origin = from("192.0.2.1")) => {
    const connection = new EventTarget();
    return {
      refusal: limits.begin(connection, origin),
      decided: (admitted: boolean) => limits.decided(connection, admitted),
      close: () => connection.dispatchEvent(new Event("close")),
    };
  };
  return { clock, limits, begin };
}

Deno.test("one address has few handshakes under way, others are not held up", () => {
  const { begin } = setUp();
  const open = Array.from({ length: handshakes }, () => begin());
  assert(open.every(({ refusal }) => refusal === undefined));
  assertEquals(begin().refusal, "too-many-handshakes");
  assertEquals(begin(from("192.0.2.2")).refusal, undefined);
  open[0]?.decided(true);
  assertEquals(begin().refusal, undefined);
  assertEquals(begin().refusal, "too-many-handshakes");
  open[1]?.close();
  open[1]?.close();
  assertEquals(begin().refusal, undefined);
  assertEquals(begin().refusal, "too-many-handshakes");
});

Deno.test("peers that are refused use their address's attempts up, those let in do not", async () => {
  const { clock, begin } = setUp();
  const attempt = (admitted: boolean) => {
    const connection = begin();
    connection.decided(admitted);
    connection.close();
    return connection.refusal;
  };
  for (let i = 0; i < 10 * attempts.burst; i++) {
    assertEquals(attempt(true), undefined);
  }
  for (let i = 0; i < attempts.burst; i++) {
    assertEquals(attempt(false), undefined);
  }
  assertEquals(attempt(true), "too-many-attempts");
  await clock.advance(1_000 / attempts.perSecond);
  assertEquals(attempt(false), undefined);
  assertEquals(attempt(false), "too-many-attempts");
});

Deno.test("one address holds a bounded number of connections", () => {
  const { begin } = setUp();
  const held = Array.from({ length: connections }, () => {
    const connection = begin();
    connection.decided(true);
    return connection;
  });
  assert(held.every(({ refusal }) => refusal === undefined));
  assertEquals(begin().refusal, "too-many-connections");
  held[0]?.close();
  assertEquals(begin().refusal, undefined);
});

Deno.test("a flood of addresses neither grows without bound nor resets what they did", async () => {
  const { clock, limits, begin } = setUp();
  for (let i = 0; i < attempts.burst; i++) {
    const connection = begin();
    connection.decided(false);
    connection.close();
  }
  assertEquals(begin().refusal, "too-many-attempts");
  for (let i = 0; i < 20_000; i++) {
    const connection = begin(from(`10.0.${i >> 8}.${i & 255}`));
    connection.decided(false);
    connection.close();
  }
  assert(limits.size <= 4_097, String(limits.size));
  assertEquals(begin().refusal, "too-many-attempts");
  // Once they are quiet, there is room for others again.
  await clock.advance(60_000);
  assertEquals(begin(from("203.0.113.1")).refusal, undefined);
  assert(limits.size < 10, String(limits.size));
});

Deno.test("origins are what a sender cannot choose freely", () => {
  for (
    const [address, group, loopback] of [
      ["/ip4/192.0.2.7/tcp/4001", "192.0.2.7", false],
      ["/ip4/127.1.2.3/tcp/1", "127.1.2.3", true],
      ["/ip6/::1/tcp/1", "::1", true],
      ["/ip6/2001:db8:1:2:3:4:5:6/tcp/1", "2001:db8:1:2::/64", false],
      ["/ip6/2001:db8:1:2::9/tcp/1", "2001:db8:1:2::/64", false],
      ["/ip6/::ffff:192.0.2.7/tcp/1", "192.0.2.7", false],
      ["/ip6/fe80::1/tcp/1", "fe80:0:0:0::/64", false],
      ["/dns4/example.org/tcp/1", "elsewhere", false],
      ["/unix/tmp%2Fsocket", "elsewhere", false],
    ] as const
  ) {
    assertEquals(originOf(multiaddr(address)), { group, loopback }, address);
  }
});

Deno.test("refusals are all counted, and logged once a minute", async () => {
  const clock = new ManualClock(0);
  const counted = new MetricsRegistry();
  const refusals = new Refusals(counted, clock);
  for (let i = 0; i < 1_000; i++) {
    refusals.note("inbound", "not-staked", `peer-${i}`);
  }
  const labels = { direction: "inbound", reason: "not-staked" };
  assertEquals(counted.get("meshnode_network_refused_total", labels), 1_000);
  assertEquals(refusals.logged, 1);
  await clock.advance(60_000);
  refusals.note("inbound", "not-staked", "peer");
  refusals.note("inbound", "stake-unknown", "peer");
  refusals.note("inbound", "stake-unknown", "peer");
  assertEquals(refusals.logged, 3);
});
