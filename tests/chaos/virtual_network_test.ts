import { assert, assertEquals, assertRejects } from "../assert.ts";
import { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { VirtualNetwork } from "../fixtures/virtual/virtual_network.ts";
import { Ledger } from "./ledger.ts";
import { ChaosMesh } from "./mesh.ts";

const empty = new Uint8Array();
const options = { timeout: 1_000 };

function setUp(names: readonly string[], seed = 1) {
  const clock = new VirtualClock(0);
  const network = new VirtualNetwork({
    clock,
    random: new SeededRandom(seed),
  });
  const calls = new Map(names.map((name) => {
    const peer = network.join(name);
    peer.register("echo", (body) => Promise.resolve(body));
    return [name, peer];
  }));
  const ask = (from: string, to: string, body = empty) => {
    const call = calls.get(from)?.call(to, "echo", body, options);
    if (call === undefined) throw new Error(`There is no ${from}.`);
    return clock.run(call);
  };
  return { clock, network, calls, ask };
}

Deno.test("timers fire in the order of their times, and those of one moment as they were set", async () => {
  const clock = new VirtualClock(0);
  const random = new SeededRandom(5);
  const fired: [number, number][] = [];
  for (let i = 0; i < 200; i++) {
    const at = random.below(50);
    const cancel = clock.after(at, () => fired.push([at, i]));
    if (i % 7 === 0) cancel();
  }
  await clock.advance(49);
  const sorted = fired.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  assertEquals(fired, sorted);
  assertEquals(fired.length, 171);
  assertEquals(clock.now(), 49);
});

Deno.test("a task that waits for nothing, or for too long, is not waited for", async () => {
  const clock = new VirtualClock(0);
  await assertRejects(clock.run(new Promise(() => {}), 100));
  await assertRejects(clock.run(clock.sleep(101), 100));
  await clock.run(clock.sleep(99), 100);
  const failing = clock.sleep(1).then(() => Promise.reject(new Error("no")));
  await assertRejects(clock.run(failing), { message: "no" });
});

Deno.test("a sleeper whose signal is aborted wakes with the reason", async () => {
  const clock = new VirtualClock(0);
  const abort = new AbortController();
  const sleep = clock.sleep(100, abort.signal);
  clock.after(10, () => abort.abort(new Error("enough")));
  await assertRejects(clock.run(sleep), { message: "enough" });
  assertEquals(clock.now(), 10);
});

Deno.test("an answer takes two ways, and later messages may arrive earlier", async () => {
  const { clock, network, calls } = setUp(["a", "b"]);
  network.weather = { delay: [1, 100], loss: 0 };
  const arrived: number[] = [];
  await clock.run(Promise.all(Array.from({ length: 20 }, async (_, i) => {
    await calls.get("a")?.call("b", "echo", Uint8Array.of(i), options);
    arrived.push(i);
  })));
  assert(clock.now() > 2 && clock.now() < 200);
  assert(arrived.some((i, at) => i !== at));
  assertEquals(arrived.toSorted((x, y) => x - y), [...arrived.keys()]);
});

Deno.test("a dead process answers nothing and fails its own calls; its connections are reset", async () => {
  const { clock, network, calls, ask } = setUp(["a", "b"]);
  calls.get("b")?.register("slow", async (body) => {
    await clock.sleep(500);
    return body;
  });
  const under = calls.get("a")?.call("b", "slow", empty, options);
  const reset = assertRejects(under as Promise<Uint8Array>, {
    code: "RPC_UNREACHABLE",
  });
  network.link("a", "b", { delay: [1, 1], loss: 0 });
  network.link("b", "a", { delay: [200, 200], loss: 0 });
  const own = calls.get("b")?.call("a", "echo", empty, options);
  const ended = assertRejects(own as Promise<Uint8Array>, {
    code: "RPC_CANCELLED",
  });
  // By now the request is there, and its answer is not.
  clock.after(100, () => network.kill("b"));
  await clock.run(Promise.all([reset, ended]));
  assert(clock.now() < 500);
  await assertRejects(ask("a", "b"), { code: "RPC_UNREACHABLE" });
  await assertRejects(ask("b", "a"), { code: "RPC_CANCELLED" });
  network.revive("b");
  assertEquals(await ask("a", "b", Uint8Array.of(7)), Uint8Array.of(7));
});

Deno.test("views lag behind deaths, silence and partitions, and recover", async () => {
  const names = ["a", "b", "c", "d"];
  const { clock, network } = setUp(names);
  const seen = (from: string) => network.members(from).join("");
  let changes = 0;
  network.watch("a", () => changes++);
  assertEquals(seen("a"), "bcd");
  network.kill("b");
  assertEquals(seen("a"), "bcd");
  await clock.advance(50);
  assertEquals(seen("a"), "cd");
  assertEquals(changes, 1);
  network.blackHole("c");
  await clock.advance(14_000);
  assertEquals(seen("a"), "cd");
  await clock.advance(6_000);
  assertEquals(seen("a"), "d");
  network.unblock("c");
  network.revive("b");
  await clock.advance(30_000);
  assertEquals(names.map(seen), ["bcd", "acd", "abd", "abc"]);
  network.partition(["a", "b"], ["c", "d"]);
  await clock.advance(20_000);
  assertEquals(names.map(seen), ["b", "a", "d", "c"]);
  network.heal();
  await clock.advance(30_000);
  assertEquals(names.map(seen), ["bcd", "acd", "abd", "abc"]);
  network.join("e", { gradually: true });
  assertEquals(network.members("e"), []);
  await clock.advance(1_000);
  assertEquals(seen("e"), "abcd");
  network.forget("e");
  assertEquals(seen("a"), "bcd");
});

Deno.test("what is cut off, silent or lost times out; links have weather of their own", async () => {
  const { network, ask } = setUp(["a", "b", "c"]);
  network.partition(["a"], ["b", "c"]);
  await assertRejects(ask("a", "b"), { code: "RPC_TIMEOUT" });
  await ask("b", "c");
  network.heal();
  await ask("a", "b");
  network.blackHole("b");
  await assertRejects(ask("a", "b"), { code: "RPC_TIMEOUT" });
  await assertRejects(ask("b", "a"), { code: "RPC_TIMEOUT" });
  network.unblock("b");
  network.link("a", "b", { delay: [1, 1], loss: 1 });
  await assertRejects(ask("a", "b"), { code: "RPC_TIMEOUT" });
  await ask("a", "c");
  network.link("a", "b");
  await ask("a", "b");
});

Deno.test("handlers' failures and unknown methods reach the caller as with real calls", async () => {
  const { clock, calls } = setUp(["a", "b"]);
  calls.get("b")?.register("fails", () => Promise.reject(new Error("inside")));
  const call = (method: string) =>
    clock.run(
      calls.get("a")?.call("b", method, empty, options) ?? Promise.reject(),
    );
  await assertRejects(call("fails"), { code: "RPC_REMOTE_FAILED" });
  await assertRejects(call("nothing"), { code: "RPC_UNKNOWN_METHOD" });
});

Deno.test("the same seed gives the same run, another seed another one", async () => {
  const run = async (seed: number) => {
    const mesh = new ChaosMesh(12, seed);
    mesh.network.weather = { delay: [1, 300], loss: 0.1 };
    const ledger = new Ledger(mesh);
    await ledger.fill(20);
    mesh.killAny(5);
    const { lost } = await ledger.survey();
    return [mesh.peerIds, mesh.clock.now(), mesh.network.traffic.total, lost];
  };
  assertEquals(await run(1), await run(1));
  assert(JSON.stringify(await run(1)) !== JSON.stringify(await run(2)));
});
