import { StoreError } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { ChaosMesh } from "./mesh.ts";
import { SEED } from "./size.ts";

Deno.test("replicas that leave while a store is under way lower no quorum, and count for what they said", async () => {
  const told = new Set<string>();
  for (let world = 0; world < 40; world++) {
    const mesh = new ChaosMesh(5, 1_000 * SEED + world);
    await using _mesh = mesh;
    const { clock, random } = mesh;
    const [writer, ...others] = mesh.nodes;
    assert(writer !== undefined);
    const leaving = random.sample(others, 3).map(({ peerId }) => peerId);
    const expiration = clock.now() / 1_000 + 60;
    const storing = writer.dht.store(
      { key: "k", value: world, expiration },
      { awaitAll: true },
    ).catch((error: unknown) => {
      assert(error instanceof StoreError, String(error));
      return error.result;
    });
    await clock.advance(random.between(0, 8));
    leaving.forEach((peerId) => mesh.kill(peerId));
    await clock.advance(1_000);
    assertEquals(writer.dht.replicasOf("k").length, 2);
    const { quorum, replicas, stored } = await clock.run(storing);
    const count = replicas.filter(({ outcome }) => outcome === "stored").length;
    assertEquals([quorum, replicas.length, stored], [3, 5, count >= 3]);
    for (const { peerId, outcome } of replicas) {
      // Who is there still took it; who left said so, or cannot be reached.
      const isGone = leaving.includes(peerId);
      assert(outcome === "stored" || (isGone && outcome === "unreachable"));
    }
    told.add(stored ? "stored" : "failed");
  }
  assertEquals(told.size, 2, "both happen");
});
