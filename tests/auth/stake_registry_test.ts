import { generateIdentity, MetricsRegistry, StakeRegistry } from "../../mod.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { withChain } from "../chain/local/fixture.ts";

Deno.test("members are known without a question, strangers after one", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    const member = add(1);
    const bootnode = generateIdentity().peerId;
    chain.addBootnode(bootnode, "/ip4/127.0.0.1/tcp/1");
    await toBlock(3);
    const metrics = new MetricsRegistry();
    const registry = new StakeRegistry({ chain, subnetId: 1, clock, metrics });
    const questions = () => metrics.get("meshnode_stake_questions_total");
    await registry.refresh();
    assertEquals(registry.peek(member), "staked");
    assertEquals(registry.peek(bootnode), "staked");
    const stranger = generateIdentity().peerId;
    assertEquals(registry.peek(stranger), undefined);
    assertEquals(
      await Promise.all([1, 2, 3].map(() => registry.check(stranger))),
      ["not-staked", "not-staked", "not-staked"],
    );
    assertEquals(await registry.check(stranger), "not-staked");
    assertEquals(questions(), 1);
    const late = generateIdentity().peerId;
    chain.addOverwatchPeer(late);
    assertEquals(await registry.check(late), "staked");
  }));

Deno.test("who loses stake is out with the next block, and told of", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    const [first, second] = [add(1), add(2)];
    await toBlock(3);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    const removed: string[] = [];
    registry.onRemoved((peerId) => removed.push(peerId));
    const end = new AbortController();
    const running = registry.run(end.signal);
    await toBlock(4);
    assertEquals(registry.peek(first), "staked");
    chain.remove(1);
    await toBlock(5);
    await clock.advance(10);
    assertEquals(removed, [first]);
    assertEquals(await registry.check(first), "not-staked");
    assertEquals(registry.peek(second), "staked");
    end.abort();
    await running;
  }));

Deno.test("while the chain is away, members stay for the grace and strangers are unknown", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    const member = add(1);
    await toBlock(3);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    await registry.refresh();
    chain.faults.unreadable = true;
    await assertRejects(registry.refresh(), { code: "CHAIN_UNREADABLE" });
    await clock.advance(599_000);
    assertEquals(registry.peek(member), "staked");
    const stranger = generateIdentity().peerId;
    assertEquals(await registry.check(stranger), "unknown");
    await clock.advance(2_000);
    assertEquals(registry.peek(member), "unknown");
    chain.faults.unreadable = false;
    await registry.refresh();
    assertEquals(registry.peek(member), "staked");
    assertEquals(await registry.check(stranger), "not-staked");
  }));

Deno.test("a flood of strangers asks the chain no more than the budget allows", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    await toBlock(3);
    const metrics = new MetricsRegistry();
    const registry = new StakeRegistry({ chain, subnetId: 1, clock, metrics });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => registry.check(`stranger-${i}`)),
    );
    assertEquals(metrics.get("meshnode_stake_questions_total"), 60);
    assertEquals(answers.filter((answer) => answer === "unknown").length, 140);
    await clock.advance(60_000);
    assertEquals(await registry.check("stranger-199"), "not-staked");
  }));
