import {
  type Chain,
  ChainUnreadableError,
  generateIdentity,
  MetricsRegistry,
  NODE_CLASSES,
  StakeRegistry,
} from "../../mod.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { accountOf, withChain } from "../chain/local/fixture.ts";

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
    const metrics = new MetricsRegistry();
    const registry = new StakeRegistry({
      ...{ chain, subnetId: 1, clock, metrics },
      grace: 600,
    });
    assertEquals(registry.health, "none");
    await registry.refresh();
    assertEquals(registry.health, "fresh");
    chain.faults.unreadable = true;
    await assertRejects(registry.refresh(), { code: "CHAIN_UNREADABLE" });
    await clock.advance(599_000);
    assertEquals(registry.health, "stale");
    assertEquals(registry.peek(member), "staked");
    const stranger = generateIdentity().peerId;
    assertEquals(await registry.check(stranger), "unknown");
    await clock.advance(2_000);
    assertEquals(registry.health, "expired");
    assertEquals(registry.peek(member), "unknown");
    chain.faults.unreadable = false;
    await registry.refresh();
    assertEquals(registry.peek(member), "staked");
    assertEquals(registry.health, "fresh");
    assertEquals(await registry.check(stranger), "not-staked");
  }));

const strangers = (count: number) =>
  Array.from({ length: count }, (_, i) => `stranger-${i}`);

Deno.test("a flood of strangers asks the chain no more than the budget allows", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    await toBlock(3);
    const metrics = new MetricsRegistry();
    const registry = new StakeRegistry({ chain, subnetId: 1, clock, metrics });
    const answers = await Promise.all(
      strangers(200).map((peer) => registry.check(peer)),
    );
    assertEquals(metrics.get("meshnode_stake_questions_total"), 30);
    assertEquals(answers.filter((answer) => answer === "unknown").length, 170);
    await clock.advance(60_000);
    assertEquals(await registry.check("stranger-199"), "not-staked");
  }));

Deno.test("a flood from one address leaves the questions of other addresses alone", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    await toBlock(3);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    const overwatch = generateIdentity().peerId;
    chain.addOverwatchPeer(overwatch);
    const flood = await Promise.all(
      strangers(1_000).map((peer) =>
        registry.check(peer, { origin: "192.0.2.1" })
      ),
    );
    assertEquals(flood.filter((answer) => answer === "not-staked").length, 6);
    assertEquals(
      await registry.check(overwatch, { origin: "192.0.2.2" }),
      "staked",
    );
  }));

Deno.test("a flood from everywhere keeps no registered node out for longer than a block", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    await toBlock(3);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    const end = new AbortController();
    const running = registry.run(end.signal);
    await toBlock(4);
    await Promise.all(
      strangers(1_000).map((peer, i) =>
        registry.check(peer, { origin: `192.0.2.${i}` })
      ),
    );
    const late = add(1);
    assertEquals(
      await registry.check(late, { origin: "203.0.113.1" }),
      "unknown",
    );
    await toBlock(5);
    await clock.advance(10);
    assertEquals(registry.peek(late), "staked");
    end.abort();
    await running;
  }));

Deno.test("classes, the least stake and the start are the chain's own", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    await toBlock(3);
    const validator = add(1);
    const queued = add(2, "registered");
    const poor = add(3);
    chain.setStake(3, 1n);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    const open = new StakeRegistry({
      ...{ chain, subnetId: 1, clock },
      minClass: "registered",
    });
    await Promise.all([registry.refresh(), open.refresh()]);
    assertEquals(registry.peek(validator), "staked");
    assertEquals(registry.peek(validator, "validator"), "staked");
    // Queued nodes start with the next epoch.
    assertEquals(open.peek(queued), undefined);
    assertEquals(await open.check(queued), "not-staked");
    assertEquals(await registry.check(poor), "not-staked");
    await toBlock(3 + 20);
    await Promise.all([registry.refresh(), open.refresh()]);
    assertEquals(open.peek(queued), "staked");
    assertEquals(registry.peek(queued), "not-staked");
    assertEquals(open.peek(queued, "idle"), "not-staked");
    const view = await chain.view();
    for (const peer of [validator, queued, poor]) {
      for (const minClass of NODE_CLASSES) {
        assertEquals(
          await registry.check(peer, { minClass }) === "staked",
          await view.proofOfStake(1, peer, minClass),
          `${peer} ${minClass}`,
        );
      }
    }
  }));

Deno.test("the bootnode and client peers of a node count as the node", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    const [peerId, bootnodePeerId, clientPeerId] = [1, 2, 3].map(() =>
      generateIdentity().peerId
    ) as [string, string, string];
    chain.register({
      ...{ hotkey: accountOf(1), coldkey: accountOf(1_001) },
      ...{ peerId, bootnodePeerId, clientPeerId, nodeClass: "validator" },
    });
    await toBlock(3);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    await registry.refresh();
    for (const peer of [peerId, bootnodePeerId, clientPeerId]) {
      assertEquals(registry.peek(peer), "staked");
    }
  }));

Deno.test("an overwatch peer stays for as long as the chain says so, and is out with the next block", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    await toBlock(3);
    const overwatch = generateIdentity().peerId;
    chain.addOverwatchPeer(overwatch);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    const removed: string[] = [];
    registry.onRemoved((peerId) => removed.push(peerId));
    assertEquals(await registry.check(overwatch), "staked");
    await toBlock(200);
    await registry.refresh();
    assertEquals(registry.peek(overwatch), "staked");
    chain.removeOverwatchPeer(overwatch);
    await toBlock(201);
    await registry.refresh();
    assertEquals(removed, [overwatch]);
    assertEquals(registry.peek(overwatch), "not-staked");
  }));

Deno.test("a chain that fails is not asked about every stranger", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    await toBlock(3);
    const metrics = new MetricsRegistry();
    const registry = new StakeRegistry({ chain, subnetId: 1, clock, metrics });
    chain.faults.unreadable = true;
    for (const peer of strangers(20)) {
      assertEquals(await registry.check(peer), "unknown");
    }
    assertEquals(metrics.get("meshnode_stake_questions_total"), 1);
    chain.faults.unreadable = false;
    await clock.advance(5_000);
    assertEquals(await registry.check("stranger-1"), "not-staked");
  }));

Deno.test("one caller's haste ends no other's question", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    await toBlock(3);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    chain.faults.slowness = 1_000;
    const hasty = new AbortController();
    const first = registry.check("stranger", { signal: hasty.signal });
    const second = registry.check("stranger");
    hasty.abort(new Error("no time"));
    assertEquals(await first, "unknown");
    await clock.advance(5_000);
    assertEquals(await second, "not-staked");
  }));

Deno.test("an endpoint that falls behind or stands still changes nobody's stake, and the grace runs on", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    const member = add(1);
    await toBlock(10);
    const early = await chain.head();
    await toBlock(100);
    const registry = new StakeRegistry({ chain, subnetId: 1, clock });
    const block = await chain.head();
    await registry.refresh(block);
    await assertRejects(
      registry.refresh(early),
      { code: "CHAIN_UNREADABLE", message: /block 10, but block 100/ },
    );
    assertEquals(registry.peek(member), "staked");
    for (let i = 0; i < 10; i++) {
      await clock.advance(100_000);
      await registry.refresh(block);
    }
    assertEquals(registry.health, "expired");
    assertEquals(registry.peek(member), "unknown");
  }));

Deno.test("a failed read loses nothing of what was known, wherever it fails", () =>
  withChain(async ({ chain, clock, add, toBlock }) => {
    const [member, other] = [add(1), add(2)];
    const overwatch = generateIdentity().peerId;
    chain.addOverwatchPeer(overwatch);
    await toBlock(3);
    const reads = [
      "constants",
      "view",
      "subnet",
      "nodes",
      "bootnodes",
    ] as const;
    for (const broken of [...reads, "proofOfStake"] as const) {
      let failing = false;
      const fails = (name: string) => {
        if (failing && name === broken) {
          throw new ChainUnreadableError(`No ${name} today.`);
        }
      };
      const guarded = <T extends object>(target: T): T =>
        new Proxy(target, {
          get: (of, name) => {
            const value = Reflect.get(of, name);
            if (typeof value !== "function") return value;
            return async (...args: unknown[]) => {
              fails(String(name));
              const result = await value.apply(of, args);
              return name === "view" ? guarded(result) : result;
            };
          },
        });
      const registry = new StakeRegistry({
        ...{ chain: guarded<Chain>(chain), subnetId: 1, clock },
      });
      const removed: string[] = [];
      registry.onRemoved((peerId) => removed.push(peerId));
      await registry.refresh();
      assertEquals(await registry.check(overwatch), "staked");
      failing = true;
      await assertRejects(registry.refresh(), { code: "CHAIN_UNREADABLE" });
      for (const peer of [member, other, overwatch]) {
        assertEquals(registry.peek(peer), "staked", broken);
      }
      assertEquals(removed, []);
    }
  }));
