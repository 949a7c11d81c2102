import {
  ClockMonitor,
  type ClockMonitorOptions,
  clockOffsetOf,
  ManualClock,
  MetricsRegistry,
  outsideWindow,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";

function setUp(options: ClockMonitorOptions = {}) {
  const clock = new ManualClock(1_700_000_000_000);
  const metrics = new MetricsRegistry();
  const monitor = new ClockMonitor({ clock, metrics, ...options });
  /** Peers that are ahead by so many seconds. */
  const hear = (prefix: string, ...offsets: readonly number[]) =>
    offsets.forEach((seconds, i) =>
      monitor.addOffset(`${prefix}${i}`, seconds)
    );
  return { clock, metrics, monitor, hear };
}

Deno.test("a clock is off when most peers say so, and right again when they do", () => {
  const { metrics, monitor, hear } = setUp();
  hear("peer", 0.1, -0.2, 0.3);
  assertEquals(monitor.state, { offset: 0.1, peers: 3, isOff: false });
  hear("peer", 120, 121, 119);
  assertEquals(monitor.state, { offset: 120, peers: 3, isOff: true });
  assertEquals(metrics.get("meshnode_clock_off"), 1);
  assertEquals(metrics.get("meshnode_clock_offset_seconds"), 120);
  // Not before it is well within the tolerance, lest it say so again and again.
  hear("peer", 2.9, 2.9, 2.9);
  assertEquals(monitor.state.isOff, true);
  hear("peer", 0, 0, 0);
  assertEquals(monitor.state.isOff, false);
  assertEquals(metrics.get("meshnode_clock_off"), 0);
});

Deno.test("too few peers prove nothing, however often they speak", () => {
  const { monitor, hear } = setUp();
  for (let i = 0; i < 100; i++) hear("peer", 1e6, 1e6);
  assertEquals(monitor.state, { offset: undefined, peers: 2, isOff: false });
});

Deno.test("a hostile minority moves nothing, whatever it says", () => {
  for (
    const lies of [
      [1e9, 1e9, 1e9, 1e9],
      [-1e9, -1e9, -1e9, -1e9],
      [4, 4, 4, 4],
      [1e308, -1e308, 1e308, -1e308],
      [NaN, Infinity, -Infinity, NaN],
    ]
  ) {
    const { monitor, hear } = setUp();
    hear("honest", 0.1, 0.2, -0.1, 0, -0.2);
    hear("hostile", ...lies);
    const { offset = NaN, isOff } = monitor.state;
    assert(Math.abs(offset) <= 0.2, `${lies}: ${offset}`);
    assertEquals(isOff, false);
    // Neither can it hide that the clock is off.
    hear("honest", 60, 61, 62, 60, 61);
    assertEquals(monitor.state.isOff, true, String(lies));
  }
});

Deno.test("half of the peers is no majority", () => {
  const { monitor, hear } = setUp();
  hear("honest", 0, 0);
  hear("hostile", 1_000, 1_000);
  assertEquals(monitor.state.isOff, false);
});

Deno.test("the tolerance and the number of peers are options", () => {
  const { monitor, hear } = setUp({ tolerance: 0.5, leastPeers: 1 });
  hear("peer", 0.6);
  assertEquals(monitor.state.isOff, true);
});

Deno.test("the way there and back is taken off, and what takes long proves nothing", () => {
  const { clock, metrics, monitor } = setUp({ leastPeers: 1 });
  const sent = clock.now();
  monitor.add("peer", {
    sent,
    received: sent + 2_000,
    time: (sent + 1_000) / 1_000 + 5,
  });
  assertEquals(monitor.state.offset?.toFixed(3), "5.000");
  monitor.add("slow", {
    sent,
    received: sent + 60_000,
    time: (sent + 30_000) / 1_000 + 5,
  });
  monitor.add("odd", { sent, received: sent - 1_000, time: sent / 1_000 });
  monitor.add("broken", { sent, received: sent, time: NaN });
  assertEquals(monitor.state.peers, 1);
  assertEquals(metrics.get("meshnode_clock_samples_refused_total"), 1);
});

Deno.test("old words are forgotten, and many peers take bounded room", async () => {
  const { clock, monitor, hear } = setUp();
  hear("peer", 60, 60, 60);
  await clock.advance(600_001);
  assertEquals(monitor.state.offset, undefined);
  for (let i = 0; i < 10_000; i++) monitor.addOffset(`fresh-${i}`, 0);
  assertEquals(monitor.state.peers, 512);
});

Deno.test("a refusal tells the offset, and nothing else is taken for one", () => {
  for (const seconds of [120.5, -3_600, 0.001]) {
    assertEquals(
      clockOffsetOf(`The peer refused: ${outsideWindow(seconds).message}`),
      -seconds,
    );
  }
  for (const seconds of [NaN, Infinity, 1e300]) {
    assertEquals(clockOffsetOf(outsideWindow(seconds).message), undefined);
  }
  assertEquals(clockOffsetOf("The peer is 5.000 s ahead."), undefined);
});
