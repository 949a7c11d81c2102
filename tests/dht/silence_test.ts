import { assert, assertEquals, assertRejects } from "../assert.ts";
import { PATIENCE } from "../../src/dht/peer_book.ts";
import { type Peer, setUp, timeTo, values } from "./fixture.ts";

const idOf = ({ identity }: Peer) => identity.peerId;

/** Peers that all hold an entry of each other, and a cold one that knows nobody's pace. */
async function announced(count: number) {
  const mesh = setUp(count);
  for (const [i, { dht, signature }] of mesh.peers.entries()) {
    await dht.store({
      key: "node",
      subkey: signature.ownerMarker,
      value: i,
      expiration: mesh.later(60),
    }, { awaitAll: true });
  }
  const all = mesh.peers.map((_, i) => i);
  return { ...mesh, all };
}

Deno.test("a cold node's read of the latest does not wait for a peer that is silent", async () => {
  const { bus, clock, add, at, all } = await announced(4);
  const cold = add();
  bus.silent.add(idOf(at(1)));
  const read = cold.dht.latest("node");
  const time = await timeTo(read, clock);
  assertEquals((values(await read) as number[]).toSorted(), all);
  assert(time <= PATIENCE.firstHedge, `${time} ms`);
});

Deno.test("a cold table's lookup does not wait for a peer that is named and silent", async () => {
  const { bus, clock, add, at, all } = await announced(5);
  const known = all.slice(1).map((i) => idOf(at(i)));
  const cold = add({ members: () => known, isComplete: () => false });
  // Nobody can connect to it, and who was connected before still names it.
  bus.silent.add(idOf(at(0)));
  const read = cold.dht.latest("node");
  const time = await timeTo(read, clock);
  assertEquals((values(await read) as number[]).toSorted(), all);
  assert(time <= 2 * PATIENCE.firstHedge, `${time} ms`);
});

Deno.test("a cold table that knows one slow peer waits for it", async () => {
  const { bus, add, at, all, clock } = await announced(6);
  all.forEach((i) => bus.delays.set(idOf(at(i)), 4 * PATIENCE.maxHedge));
  const cold = add({ members: () => [idOf(at(0))], isComplete: () => false });
  const read = cold.dht.latest("node");
  await timeTo(read, clock);
  assertEquals((values(await read) as number[]).toSorted(), all);
});

Deno.test("who was silent is waited for no more, and is heard again when it answers", async () => {
  const { bus, clock, add, at, all } = await announced(4);
  const cold = add();
  bus.silent.add(idOf(at(1)));
  await timeTo(cold.dht.latest("node"), clock);
  await clock.advance(PATIENCE.firstTimeout);
  const again = cold.dht.latest("node");
  assertEquals(await timeTo(again, clock), 0);
  assertEquals((values(await again) as number[]).toSorted(), all);
  bus.silent.clear();
  await cold.dht.ping(idOf(at(1)));
  bus.delays.set(idOf(at(1)), PATIENCE.minHedge);
  const whole = cold.dht.latest("node");
  assertEquals(await timeTo(whole, clock), PATIENCE.minHedge);
});

Deno.test("a read of the latest waits for every replica it needs, however slow", async () => {
  const { bus, clock, add, at, all } = await announced(5);
  const cold = add();
  const slow = 2 * PATIENCE.maxHedge;
  // Of five replicas three are needed, and two are silent.
  [0, 1].forEach((i) => bus.silent.add(idOf(at(i))));
  [2, 3, 4].forEach((i) => bus.delays.set(idOf(at(i)), slow));
  const replicas = cold.dht.replicasOf("node");
  const read = cold.dht.latest("node");
  const time = await timeTo(read, clock);
  assertEquals((values(await read) as number[]).toSorted(), all);
  assert(time >= slow, `${time} ms with ${replicas.length} replicas`);
  assert(time < PATIENCE.firstTimeout, `${time} ms`);
});

Deno.test("a read of the latest waits for the slow as long as it is told to", async () => {
  const { bus, clock, at, later } = setUp(4);
  const [reader, holder] = [at(0), at(1)];
  for (const each of [reader, at(2), at(3)]) bus.silent.add(idOf(each));
  const alone = holder.dht.store({
    key: "k",
    subkey: holder.signature.ownerMarker,
    value: 1,
    expiration: later(60),
  }, { writeQuorum: 1 });
  await timeTo(alone, clock);
  bus.silent.clear();
  const pace = 4 * PATIENCE.firstHedge;
  bus.delays.set(idOf(holder), pace);
  const hasty = reader.dht.latest("k");
  assertEquals(await timeTo(hasty, clock), PATIENCE.firstHedge);
  assertEquals(await hasty, undefined);
  await clock.advance(pace);
  const read = reader.dht.get("k", { latest: true, patience: 2 * pace });
  assertEquals(await timeTo(read, clock), pace, "and no longer than it takes");
  assertEquals(values(await read), [1]);
});

Deno.test("every call of a read is told, also those that it does not wait for", async () => {
  const { bus, clock, at, later } = setUp(6);
  await at(0).dht.store(
    { key: "k", value: 1, expiration: later(60) },
    { awaitAll: true },
  );
  const [silent] = at(0).dht.replicasOf("k")
    .filter((peer) => peer !== at(0).identity.peerId) as [string];
  bus.silent.add(silent);
  const asked: string[] = [];
  const ended: string[] = [];
  const read = at(0).dht.get("k", {
    latest: true,
    onAsk: (peerId, method) => asked.push(`${peerId} ${method}`),
    onCall: ({ peerId, method, outcome }) => {
      ended.push(`${peerId} ${method}`);
      assertEquals(outcome, peerId === silent ? "RPC_TIMEOUT" : "answered");
    },
  });
  await timeTo(read, clock);
  assertEquals(asked.length, 5);
  assert(asked.includes(`${silent} dht.find`));
  assertEquals(ended.length, 4);
  await clock.advance(3_000);
  assertEquals(ended.toSorted(), asked.toSorted());
});

Deno.test("a read gives what it has found once that is said to be enough", async () => {
  const { bus, clock, add, at, all } = await announced(5);
  const known = all.map((i) => idOf(at(i)));
  known.slice(1).forEach((peer) => bus.silent.add(peer));
  bus.delays.set(known[0] as string, 10);
  const enough = new AbortController();
  clock.after(50, () => enough.abort());
  const options = { latest: true, enough: enough.signal };
  const cold = add({ members: () => known });
  const read = cold.dht.get("node", options);
  assertEquals(await timeTo(read, clock), 50);
  assertEquals((values(await read) as number[]).toSorted(), all);
  // Later than that, or before it knows whom to ask, it gives what is held here.
  const late = cold.dht.get("node", options);
  assertEquals(await timeTo(late, clock), 0);
  assertEquals(await late, undefined);
  const holder = at(2).dht.get("node", options);
  assertEquals(await timeTo(holder, clock), 0);
  assertEquals((values(await holder) as number[]).toSorted(), all);
});

Deno.test("a listing waits for a silent replica once, not for each of its pages", async () => {
  const { bus, clock, at, later } = setUp(6);
  const names = ["a", "b", "c", "d"];
  await at(0).dht.storeMany(
    names.map((subkey) => ({
      key: "k",
      subkey,
      value: subkey,
      expiration: later(60),
    })),
    { awaitAll: true },
  );
  const [silent] = at(0).dht.replicasOf("k")
    .filter((peer) => peer !== idOf(at(0))) as [string];
  bus.silent.add(silent);
  const listed: unknown[] = [];
  const times: number[] = [];
  let after: Uint8Array | undefined;
  do {
    const listing = at(0).dht.list("k", { limit: 1, after });
    times.push(await timeTo(listing, clock));
    const page = await listing;
    listed.push(...page.entries.map(({ value }) => value));
    after = page.next;
  } while (after !== undefined);
  assertEquals(listed, names);
  assertEquals(times.slice(1), [0, 0, 0]);
});

Deno.test("a node that stops ends what owners wait for", async () => {
  const { bus, at, later } = setUp(5);
  at(0).dht.replicasOf("k").filter((peer) => peer !== idOf(at(0)))
    .forEach((peer) => bus.silent.add(peer));
  const { dht } = at(0);
  const request = { key: "k", value: 1, expiration: later(60) };
  const waiting = Promise.all([
    assertRejects(dht.list("k"), { code: "DHT_STOPPED" }),
    assertRejects(dht.storeIf(request, null), { code: "DHT_STOPPED" }),
  ]);
  await dht.stop();
  await waiting;
  assertEquals(dht.records, 0);
});

Deno.test("a lookup that takes long does not keep a read from its end", async () => {
  const { bus, clock, add, at, all } = await announced(4);
  all.forEach((i) => bus.silent.add(idOf(at(i))));
  const known = all.map((i) => idOf(at(i)));
  const cold = add({ members: () => known, isComplete: () => false });
  const enough = new AbortController();
  clock.after(50, () => enough.abort());
  const read = cold.dht.get("node", { latest: true, enough: enough.signal });
  assertEquals(await timeTo(read, clock), 50);
  assertEquals(await read, undefined);
});
