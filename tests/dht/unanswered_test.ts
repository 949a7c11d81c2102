import { UnansweredError } from "../../src/dht/mod.ts";
import { describeError, exitCodeOf } from "../../src/cli/exit.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { outcomesOf, setUp, values } from "./fixture.ts";

/** A client of a mesh that holds two entries under "k". */
async function reading() {
  const mesh = setUp(6);
  const { at, later, add } = mesh;
  for (const subkey of ["a", "b"]) {
    await at(0).dht.store(
      { key: "k", subkey, value: subkey, expiration: later(60) },
      { awaitAll: true },
    );
  }
  return { ...mesh, client: add({ client: true }) };
}

Deno.test("a listing that no replica answers fails, and says what to do", async () => {
  const { bus, client } = await reading();
  bus.refuse = (_peer, method) => method === "dht.list";
  const error = await client.dht.list("k").then(
    () => undefined,
    (error: unknown) => error,
  );
  assert(error instanceof UnansweredError, String(error));
  assertEquals([error.code, error.peers.length], ["REPLICAS_UNREACHABLE", 5]);
  assertEquals(exitCodeOf(error), 69);
  assert(/of the 5 peers .* none answered/.test(error.message), error.message);
  assert(/hint: Try again/.test(describeError(error)));
  bus.refuse = () => false;
  const { entries } = await client.dht.list("k");
  assertEquals(entries.map(({ subkey }) => subkey), ["a", "b"]);
  assertEquals((await client.dht.list("none")).entries, [], "nothing is there");
});

Deno.test("a listing of who knows nobody fails", async () => {
  const { add } = setUp(0);
  await assertRejects(add({ client: true }).dht.list("k"), {
    code: "REPLICAS_UNREACHABLE",
    message: /no peer that may hold it is connected/,
  });
});

Deno.test("what one replica alone answers is listed", async () => {
  const { bus, client } = await reading();
  const [only] = client.dht.replicasOf("k");
  bus.refuse = (peer, method) => method === "dht.list" && peer !== only;
  const { entries } = await client.dht.list("k");
  assertEquals(entries.map(({ subkey }) => subkey), ["a", "b"]);
});

Deno.test("a deletion that too few replicas hear of does not say that nothing was there", async () => {
  const { bus, client } = await reading();
  bus.refuse = () => true;
  await assertRejects(client.dht.delete("k", "a"), {
    code: "REPLICAS_UNREACHABLE",
  });
  bus.refuse = () => false;
  const deleted = await client.dht.delete("k", "a", { awaitAll: true });
  assertEquals(outcomesOf(deleted?.replicas ?? []), Array(5).fill("stored"));
  assertEquals(await client.dht.delete("k", "a"), undefined);
  assertEquals(values(await client.dht.latest("k")), ["b"]);
});
