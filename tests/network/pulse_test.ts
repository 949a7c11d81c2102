import type { Connection } from "@libp2p/interface";
import { MetricsRegistry } from "../../mod.ts";
import { PULSE, Pulse } from "../../src/network/pulse.ts";
import { assert, assertEquals } from "../assert.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

/** A connection whose peer answers pings, until it is silent. */
class FakeConnection {
  status = "open";
  silent = false;
  pings = 0;
  readonly muxer = {
    ping: () => {
      this.pings++;
      return this.silent
        ? Promise.reject(new Error("no answer"))
        : Promise.resolve(1);
    },
  };
  abort() {
    this.status = "aborted";
  }
}

Deno.test("a connection whose peer is silent is ended and counted; the others stay", async () => {
  const clock = new VirtualClock();
  const metrics = new MetricsRegistry();
  const connections = [new FakeConnection(), new FakeConnection()];
  const [good, bad] = connections as [FakeConnection, FakeConnection];
  const pulse = new Pulse(
    () => connections as unknown as Connection[],
    clock,
    metrics,
  );
  const end = new AbortController();
  const running = pulse.run(end.signal);
  await clock.advance(60_000);
  assertEquals([good.status, bad.status], ["open", "open"]);
  assert(good.pings >= 5 && good.pings <= 6, `${good.pings} pings a minute`);
  bad.silent = true;
  await clock.advance(PULSE.interval + 2_000);
  assertEquals([good.status, bad.status], ["open", "aborted"]);
  assertEquals(
    metrics.get("meshnode_network_cut_off_total", { reason: "silent" }),
    1,
  );
  const { pings } = bad;
  await clock.advance(60_000);
  assertEquals(bad.pings, pings, "what was ended is left alone");
  end.abort();
  await running;
});
