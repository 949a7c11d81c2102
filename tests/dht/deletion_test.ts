import { MAX_LIFETIME } from "../../src/dht/service.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { outcomesOf, type Peer, setUp, values } from "./fixture.ts";

/** Who answers fast is asked first. */
async function askFirst(
  { bus, peers, clock }: ReturnType<typeof setUp>,
  { dht, identity }: Peer,
  first: string,
): Promise<void> {
  const others = peers.map((peer) => peer.identity.peerId)
    .filter((peer) => peer !== identity.peerId);
  for (const peer of others) bus.delays.set(peer, peer === first ? 1 : 9);
  await clock.run(Promise.all(others.map((peer) => dht.ping(peer))));
  bus.calls.length = 0;
}

/**
 * A key whose plain value was deleted before it became a dictionary, and a
 * reader that asks first who missed a part of it.
 */
async function deletedPlain() {
  const mesh = setUp(7);
  const { bus, peers, later } = mesh;
  const replicas = peers[0]?.dht.replicasOf("k") ?? [];
  const [writer, reader] = peers.filter(({ identity }) =>
    !replicas.includes(identity.peerId)
  ) as [Peer, Peer];
  const [behind] = replicas as [string];
  const all = { awaitAll: true };
  await writer.dht.store({ key: "k", value: 0, expiration: later(50) }, all);
  await writer.dht.delete("k", undefined, all);
  const put = (subkey: string) =>
    writer.dht.store(
      { key: "k", subkey, value: subkey, expiration: later(60) },
      all,
    );
  await put("a");
  bus.refuse = (peer, method) => peer === behind && method === "dht.store";
  await put("b");
  bus.refuse = () => false;
  await askFirst(mesh, reader, behind);
  return { ...mesh, reader, behind };
}

Deno.test("the tombstone of a plain value does not make one replica's part of a dictionary the whole", async () => {
  const { bus, clock, reader, behind } = await deletedPlain();
  assertEquals(values(await clock.run(reader.dht.get("k"))), ["a", "b"]);
  assertEquals(bus.askedFor("dht.find")[0], behind, "it was asked first");
});

Deno.test("the tombstone of a plain value counts for none of the subkeys that are asked for", async () => {
  const { clock, reader } = await deletedPlain();
  const reading = reader.dht.get("k", { subkeys: ["a", "b"] });
  assertEquals(values(await clock.run(reading)), ["a", "b"]);
});

Deno.test("a plain value that one replica knows to be deleted is nothing only once a majority was heard", async () => {
  const mesh = setUp(7);
  const { bus, peers, later, clock } = mesh;
  const replicas = peers[0]?.dht.replicasOf("k") ?? [];
  const [writer, reader] = peers.filter(({ identity }) =>
    !replicas.includes(identity.peerId)
  ) as [Peer, Peer];
  const put = (value: number, life: number) =>
    writer.dht.store({ key: "k", value, expiration: later(life) }, {
      awaitAll: true,
    });
  await put(1, 60);
  await writer.dht.delete("k", undefined, { awaitAll: true });
  const [behind] = replicas as [string];
  bus.refuse = (peer, method) => peer === behind && method === "dht.store";
  await put(2, 90);
  bus.refuse = () => false;
  await askFirst(mesh, reader, behind);
  assertEquals(values(await clock.run(reader.dht.get("k"))), 2);
  assertEquals(bus.askedFor("dht.find")[0], behind, "it was asked first");
});

Deno.test("a record of the longest life is deleted at once, and a tombstone outlives it", async () => {
  const { at, peers, later, clock } = setUp(5);
  const expiration = later(MAX_LIFETIME);
  await at(0).dht.store({ key: "k", value: 1, expiration });
  const { replicas } = await at(0).dht.delete("k", undefined, {
    awaitAll: true,
  }) ?? { replicas: [] };
  assertEquals(outcomesOf(replicas), Array(5).fill("stored"));
  await clock.advance(1_000 * MAX_LIFETIME - 1);
  for (const { dht } of peers) {
    assertEquals(await dht.latest("k"), undefined);
    assertEquals(
      dht.records,
      1,
      "the tombstone is there as long as copies are",
    );
  }
  await assertRejects(
    at(0).dht.store({ key: "k", value: 1, expiration }),
    {
      code: "STORE_BELOW_QUORUM",
      message: /5 hold one that is at least as new/,
    },
  );
});

Deno.test("what is longer-lived than the longest life is refused, tombstones too", async () => {
  const { at, later } = setUp(1);
  await at(0).dht.store({ key: "k", value: 1, expiration: later(60) });
  for (const beyond of [0.01, 60]) {
    const expiration = later(MAX_LIFETIME + beyond);
    await assertRejects(at(0).dht.delete("k", undefined, { expiration }), {
      message: /too-long-lived/,
    });
  }
  await assertRejects(
    at(0).dht.store({
      key: "k",
      value: 1,
      expiration: later(MAX_LIFETIME + 0.0005),
    }),
    { message: /too-long-lived/ },
  );
});
