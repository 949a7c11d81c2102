import { MetricsRegistry } from "../../mod.ts";
import { configureLogging } from "../../src/cli/logging.ts";
import { Lifetime } from "../../src/node/lifetime.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** The life of a node whose parts are closed as given, with what it logs and counts. */
async function lifeOf(closing: readonly (() => unknown)[] = []) {
  const lines: string[] = [];
  await configureLogging("debug", (line) => lines.push(line));
  const metrics = new MetricsRegistry();
  const life = new Lifetime({ of: "node", closing, metrics });
  const failures = (part: string) =>
    metrics.get("meshnode_node_failures_total", { part });
  return { life, lines, failures };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("work that fails is logged and counted, and what should go on is remembered", async () => {
  const { life, lines, failures } = await lifeOf();
  const going = Promise.withResolvers<void>();
  life.run("heartbeat", Promise.reject(new Error("no beat")));
  life.own("drop", Promise.reject(new Error("no such peer")));
  life.run("records", going.promise);
  await turn();
  assertEquals([...life.failed], ["heartbeat"]);
  assertEquals([failures("heartbeat"), failures("drop")], [1, 1]);
  assertEquals(failures("records"), 0);
  assert(lines.every((line) => line.includes("ERROR node:")), lines.join());
  assert(lines[0]?.includes("heartbeat of the node failed"), lines.join());
  assert(lines[1]?.includes("no such peer"), lines.join());
  assertEquals([lines.length, life.signal.aborted], [2, false]);
  going.resolve();
  await life.stop();
});

Deno.test("work that ends because the node does is no failure, whatever else fails then is", async () => {
  const { life, lines, failures } = await lifeOf();
  const ended = (reject: (signal: AbortSignal) => unknown) =>
    new Promise<void>((_, fail) =>
      life.signal.addEventListener("abort", () => fail(reject(life.signal)))
    );
  life.run("clock", ended(({ reason }) => reason));
  life.run("stake", ended(() => new DOMException("Ended.", "AbortError")));
  life.run("epochs", ended(() => new Error("half an epoch")));
  await life.stop();
  assertEquals([...life.failed], ["epochs"]);
  assertEquals(failures("epochs"), 1);
  assertEquals(lines.length, 1);
});

Deno.test("work that is aborted before the end has failed", async () => {
  const { life, failures } = await lifeOf();
  const aborted = new DOMException("Not by us.", "AbortError");
  life.run("stake", Promise.reject(aborted));
  await turn();
  assertEquals([[...life.failed], failures("stake")], [["stake"], 1]);
  await life.stop();
});

Deno.test("parts are closed one after the other, once, when all work has ended", async () => {
  const order: string[] = [];
  const { life } = await lifeOf([
    async () => {
      await turn();
      order.push("first");
    },
    () => order.push("second"),
  ]);
  const work = Promise.withResolvers<void>();
  life.run("records", work.promise.then(() => void order.push("work")));
  const stops = [life.stop(), life.stop()];
  await turn();
  assertEquals([order, life.signal.aborted], [[], true]);
  work.resolve();
  await Promise.all(stops);
  assertEquals(order, ["work", "first", "second"]);
});

Deno.test("a part that cannot be closed keeps no other open, and is told", async () => {
  const closed: string[] = [];
  const refuse = (text: string) => () => Promise.reject(new Error(text));
  const one = await lifeOf([refuse("stuck"), () => closed.push("one")]);
  await assertRejects(one.life.stop(), /^Error: stuck$/);
  const two = await lifeOf([
    refuse("stuck"),
    () => {
      throw new Error("gone");
    },
    () => closed.push("two"),
  ]);
  const error = await two.life.stop().catch((error) => error);
  assert(error instanceof AggregateError);
  assertEquals(error.errors.map(({ message }) => message), ["stuck", "gone"]);
  assertEquals(closed, ["one", "two"]);
});
