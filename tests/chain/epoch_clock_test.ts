import { ChainEpochClock } from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { BLOCK, withChain } from "./local/fixture.ts";

Deno.test("the clock shows the newest block's place in the epoch", () =>
  withChain(async ({ chain, toBlock }) => {
    let monotonic = 0;
    const clock = new ChainEpochClock({
      chain,
      subnetId: 1,
      monotonic: () => monotonic,
    });
    assertEquals(clock.now(), undefined);
    await clock.read();
    assertEquals(clock.now(), {
      block: 0,
      epoch: 0,
      networkEpoch: 0,
      slot: 3,
      elapsed: 0,
      remaining: 3,
      progress: 0,
      beforeSlot: true,
      length: 20,
      blockSeconds: 6,
      age: 0,
      remainingMilliseconds: 3 * BLOCK,
    });
    await toBlock(26);
    await clock.read();
    monotonic += 2_000;
    const now = clock.now();
    assertEquals([now?.epoch, now?.elapsed, now?.networkEpoch], [1, 3, 1]);
    assertEquals(now?.age, 2_000);
    assertEquals(now?.remainingMilliseconds, 17 * BLOCK - 2_000);
  }));

Deno.test("without blocks the clock shows nothing, whatever the machine's clock says", () =>
  withChain(async ({ chain }) => {
    let monotonic = 0;
    const clock = new ChainEpochClock({
      chain,
      subnetId: 1,
      monotonic: () => monotonic,
    });
    await clock.read();
    monotonic += 19 * BLOCK;
    assert(clock.now());
    assertEquals(clock.now()?.remainingMilliseconds, 0);
    monotonic += 2 * BLOCK;
    assertEquals(clock.now(), undefined);
  }));

Deno.test("the clock follows the chain, over blocks it never saw and through outages", () =>
  withChain(async ({ chain, clock: time, toBlock }) => {
    const clock = new ChainEpochClock({ chain, subnetId: 1, clock: time });
    const end = new AbortController();
    const running = clock.run(end.signal);
    const shows = (block: number) =>
      eventually(() => clock.now()?.block === block, () => `not ${block}`);
    await toBlock(4);
    await shows(4);
    await toBlock(50);
    await shows(50);
    assertEquals(clock.now()?.epoch, 2);
    chain.faults.unreadable = true;
    await toBlock(51);
    await assertRejects(clock.read(), { code: "CHAIN_UNREADABLE" });
    chain.faults.unreadable = false;
    await toBlock(64);
    await shows(64);
    assertEquals([clock.now()?.epoch, clock.now()?.elapsed], [3, 1]);
    end.abort();
    await running;
  }));
