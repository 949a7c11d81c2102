import { heartbeatPeriod } from "../../src/node/heartbeat.ts";
import { assertEquals } from "../assert.ts";

Deno.test("heartbeats come twice in an epoch at least", () => {
  const epochs = {
    now: () => ({ epoch: 0, elapsed: 0, length: 20, blockSeconds: 6 }),
  };
  assertEquals(heartbeatPeriod(undefined, undefined), 120);
  assertEquals(heartbeatPeriod(300, undefined), 300);
  assertEquals(heartbeatPeriod(undefined, epochs), 60);
  assertEquals(heartbeatPeriod(300, epochs), 60);
  assertEquals(heartbeatPeriod(10, epochs), 10);
  assertEquals(heartbeatPeriod(1, epochs), 9);
});
