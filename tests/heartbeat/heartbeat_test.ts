import {
  concat,
  dhtTime,
  Float,
  type ManualClock,
  ownerMarker,
  Tuple,
} from "../../mod.ts";
import {
  Directory,
  HeartbeatAnnouncer,
  heartbeatSubkey,
  type Ping,
  PingAggregator,
} from "../../src/heartbeat/mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { makeMesh, type MeshPeer } from "./mesh.ts";

function announcer(
  peer: MeshPeer,
  clock: ManualClock,
  period = 10,
  ping: Ping = () => Promise.resolve(25),
) {
  const directory = new Directory(peer.dht, peer.metrics);
  return new HeartbeatAnnouncer({
    identity: peer.identity,
    records: peer.dht,
    directory,
    pings: new PingAggregator({ ping, clock }),
    info: { role: "validator", throughput: 1, version: "1.0.0" },
    period,
    clock,
    metrics: peer.metrics,
  });
}

Deno.test("a node is joining, then online, and says when it leaves", async () => {
  const { clock, peers } = makeMesh(3);
  const [first, second] = peers as [MeshPeer, MeshPeer];
  const states = async () =>
    (await new Directory(second.dht).read()).map(({ info }) => info.state);
  const heartbeat = announcer(first, clock);
  const end = new AbortController();
  const running = heartbeat.run(end.signal);
  await clock.advance(1);
  assertEquals(await states(), ["joining"]);
  heartbeat.setState("online");
  await clock.advance(1);
  assertEquals(await states(), ["online"]);
  for (let i = 0; i < 10; i++) {
    await clock.advance(10_000);
    assertEquals(await states(), ["online"], "it is renewed in time");
  }
  end.abort();
  await running;
  await heartbeat.farewell();
  assertEquals(await states(), ["offline"]);
  await clock.advance(21_000);
  assertEquals(await states(), [], "and expires after two periods");
});

Deno.test("heartbeats tell the round-trip times to the others", async () => {
  const { clock, peers } = makeMesh(3);
  const end = new AbortController();
  const running = peers.map((peer) => {
    const heartbeat = announcer(peer, clock);
    heartbeat.setState("online");
    return heartbeat.run(end.signal);
  });
  await clock.advance(25_000);
  const nodes = await new Directory((peers[0] as MeshPeer).dht).read();
  assertEquals(nodes.length, 3);
  for (const { peerId, info } of nodes) {
    assertEquals(
      [...info.nextPings?.keys() ?? []].sort(),
      peers.map(({ identity }) => identity.peerId)
        .filter((id) => id !== peerId).sort(),
    );
    assertEquals([...info.nextPings?.values() ?? []], [0.025, 0.025]);
  }
  end.abort();
  await Promise.all(running);
});

Deno.test("a peer that hangs while it is measured delays no heartbeat", async () => {
  const { clock, peers } = makeMesh(2);
  const [first, second] = peers as [MeshPeer, MeshPeer];
  const end = new AbortController();
  let pings = 0;
  const never = () => {
    pings++;
    return new Promise<number>(() => {});
  };
  const running = [
    announcer(first, clock, 10, never).run(end.signal),
    announcer(second, clock).run(end.signal),
  ];
  for (let i = 0; i < 10; i++) {
    await clock.advance(10_000);
    const live = await new Directory(second.dht).read();
    assertEquals(live.length, 2, "it is renewed in time");
  }
  assertEquals(pings, 1, "one measurement at a time");
  end.abort();
  await Promise.all(running);
});

Deno.test("malformed heartbeats are counted and skipped, the others are read", async () => {
  const { clock, peers } = makeMesh(3);
  const [honest, liar, reader] = peers as [MeshPeer, MeshPeer, MeshPeer];
  const end = new AbortController();
  const running = announcer(honest, clock).run(end.signal);
  await clock.advance(1);
  let puts = 0;
  const put = (
    value: Tuple | string,
    subkey = heartbeatSubkey(liar.identity),
  ) =>
    liar.dht.store({
      key: "node",
      subkey,
      value,
      expiration: dhtTime(clock) + 60 + ++puts,
    });
  const directory = new Directory(reader.dht, reader.metrics);
  const malformed = () =>
    reader.metrics.get("meshnode_heartbeat_malformed_total");
  for (
    const value of [
      "text",
      new Tuple([9, "validator", new Float(1), new Map()]),
      new Tuple([2, "validator", new Float(1), new Map([["version", 5]])]),
    ]
  ) {
    const before = malformed();
    assert((await put(value)).stored);
    const nodes = await directory.read();
    assertEquals(nodes.map(({ peerId }) => peerId), [honest.identity.peerId]);
    assertEquals(malformed(), before + 1);
  }
  end.abort();
  await running;
});

Deno.test("nobody speaks for another peer, or hides the heartbeats", async () => {
  const { clock, peers } = makeMesh(3);
  const [honest, liar] = peers as [MeshPeer, MeshPeer];
  const text = new TextEncoder();
  const marker = ownerMarker(liar.identity.openSsh);
  const value = new Tuple([2, "validator", new Float(1), new Map()]);
  const expiration = dhtTime(clock) + 60;
  for (
    const subkey of [
      undefined,
      "text",
      marker,
      concat(text.encode(honest.identity.peerId), marker),
      concat(text.encode(liar.identity.peerId), marker, text.encode("x")),
      concat(
        heartbeatSubkey(liar.identity),
        ownerMarker(honest.identity.openSsh),
      ),
      heartbeatSubkey(honest.identity),
    ]
  ) {
    await assertRejects(
      liar.dht.store({
        key: "node",
        ...(subkey === undefined ? {} : { subkey }),
        value,
        expiration,
      }),
      { code: "STORE_BELOW_QUORUM" },
    );
  }
});

Deno.test("who does not answer is never fast, and is forgotten in time", async () => {
  const { clock } = makeMesh(0);
  let answer = () => Promise.resolve(100);
  const pings = new PingAggregator({ ping: () => answer(), clock });
  const end = new AbortController();
  await pings.measure(["a"], 5, end.signal);
  answer = () => Promise.resolve(200);
  await pings.measure(["a"], 5, end.signal);
  assertEquals(pings.times().get("a"), 120);
  answer = () => Promise.reject(new Error("gone"));
  await pings.measure(["a", "b"], 5, end.signal);
  assertEquals(pings.times().size, 0);
  answer = () => Promise.resolve(50);
  await pings.measure(["a"], 5, end.signal);
  assertEquals(pings.times().get("a"), 50, "the outage leaves no trace");
  await clock.advance(300_001);
  assertEquals(pings.times().size, 0);
});

Deno.test("at most so many peers are pinged at once", async () => {
  let asked = 0;
  const pings = new PingAggregator({
    ping: () => Promise.resolve(++asked),
  });
  const peers = Array.from({ length: 50 }, (_, i) => `peer-${i}`);
  await pings.measure(peers, 5, new AbortController().signal);
  assertEquals(asked, 5);
});
