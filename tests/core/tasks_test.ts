import { Tasks } from "../../mod.ts";
import { assertEquals } from "../assert.ts";

Deno.test("what is owned is awaited, also what begins meanwhile", async () => {
  const tasks = new Tasks();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const over: string[] = [];
  tasks.own(first.promise.then(() => {
    over.push("first");
    tasks.own(second.promise.then(() => over.push("second")));
  }));
  assertEquals(tasks.size, 1);
  const settled = tasks.settled().then(() => over.push("settled"));
  first.resolve();
  await first.promise;
  second.resolve();
  await settled;
  assertEquals(over, ["first", "second", "settled"]);
  assertEquals(tasks.size, 0);
});

Deno.test("a failure is told to who wants it, and ends nothing else", async () => {
  const all: unknown[] = [];
  const own: unknown[] = [];
  const tasks = new Tasks((error) => all.push(error));
  tasks.own(Promise.reject("one"));
  tasks.own(Promise.reject("two"), (error) => own.push(error));
  tasks.own(Promise.resolve());
  await tasks.settled();
  assertEquals([all, own, tasks.size], [["one"], ["two"], 0]);
});

Deno.test("nobody needs to be told of a failure", async () => {
  const tasks = new Tasks();
  tasks.own(Promise.reject(new Error("its own to report")));
  await tasks.settled();
  assertEquals(tasks.size, 0);
});

Deno.test("who is told of a failure may begin anew", async () => {
  let attempts = 0;
  const tasks = new Tasks(() => {
    if (++attempts < 3) tasks.own(Promise.reject("again"));
  });
  tasks.own(Promise.reject("once"));
  await tasks.settled();
  assertEquals([attempts, tasks.size], [3, 0]);
});
