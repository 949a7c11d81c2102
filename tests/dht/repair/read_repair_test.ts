import { dhtId, LocalStorage } from "../../../mod.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type Peer, setUp } from "../fixture.ts";

const idOf = ({ identity }: Peer) => identity.peerId;

/** Five peers, of which some missed the store of "k". */
async function missedBy(...missing: readonly number[]) {
  const mesh = setUp(0);
  const storages: LocalStorage[] = [];
  for (let i = 0; i < 5; i++) {
    const storage = new LocalStorage(() => mesh.clock.now() / 1000);
    storages.push(storage);
    mesh.add({ storage });
  }
  const { bus, at, later } = mesh;
  const newest = later(120);
  const store = (value: string, expiration: number) =>
    at(0).dht.store(
      {
        key: "k",
        subkey: at(0).signature.ownerMarker,
        value,
        expiration,
      },
      { awaitAll: true, writeQuorum: 1 },
    );
  await store("old", later(60));
  const gone = new Set(missing.map((i) => idOf(at(i))));
  bus.refuse = (to, method) => gone.has(to) && method === "dht.store";
  await store("new", newest);
  bus.refuse = () => false;
  bus.calls.length = 0;
  const expirations = () =>
    storages.map((storage) =>
      storage.held(dhtId("k"))[0]?.expiration === newest
    );
  return { ...mesh, expirations };
}

Deno.test("replicas that a read finds behind are given the newer record", async () => {
  const { bus, at, clock, expirations } = await missedBy(3, 4);
  assertEquals(expirations(), [true, true, true, false, false]);
  await at(2).dht.latest("k");
  await clock.advance(1);
  assertEquals(expirations(), Array(5).fill(true));
  assertEquals(
    bus.askedFor("dht.copy").toSorted(),
    [idOf(at(3)), idOf(at(4))].toSorted(),
  );
  await at(1).dht.latest("k");
  await clock.advance(1);
  assertEquals(bus.askedFor("dht.copy").length, 2, "nothing is left to do");
});

Deno.test("a reader that is behind completes its own replica", async () => {
  const { bus, at, clock, expirations } = await missedBy(4);
  await at(4).dht.latest("k");
  await clock.advance(1);
  assertEquals(expirations(), Array(5).fill(true));
  assertEquals(bus.askedFor("dht.copy"), []);
});

Deno.test("a replica that takes no copies is not bothered at every read", async () => {
  const { bus, at, clock } = await missedBy(4);
  bus.refuse = (_to, method) => method === "dht.copy";
  for (let i = 0; i < 20; i++) {
    await at(1).dht.latest("k");
    await clock.advance(100);
  }
  assertEquals(bus.askedFor("dht.copy").length, 1);
  bus.refuse = () => false;
  await clock.advance(60_000);
});

Deno.test("what a single replica claims is not passed on as accepted", async () => {
  const { bus, at, clock } = await missedBy(1, 2, 3, 4);
  // Peer 0 alone has the newer record, and it is its owner's word.
  const found = await at(1).dht.latest("k");
  assert(found?.kind === "dictionary");
  assertEquals(found.entries[0]?.value, "new");
  await clock.advance(1);
  assertEquals(bus.askedFor("dht.copy"), []);
});
