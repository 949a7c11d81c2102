import {
  CompositeValidator,
  Dht,
  dhtId,
  encode,
  generateIdentity,
  type Identity,
  LocalStorage,
  ManualClock,
  MetricsRegistry,
  NO_SUBKEY,
  Rpc,
  SignatureAuthorizer,
  SignatureValidator,
  systemClock,
  type WatchEvent,
} from "../../mod.ts";
import { Changes } from "../../src/dht/owner/changes.ts";
import { Handoff } from "../../src/dht/owner/handoff.ts";
import {
  decodeChange,
  encodeChange,
  encodeStoreIf,
  encodeWatch,
  type StoreStep,
} from "../../src/dht/owner/owner_wire.ts";
import { decodeStoreAnswers } from "../../src/dht/wire.ts";
import { recordDigest } from "../../src/records/digest.ts";
import type { DhtRecord } from "../../src/records/record.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { MemoryNetwork } from "../network/memory_transport.ts";

interface Peer {
  readonly identity: Identity;
  readonly rpc: Rpc;
  readonly dht: Dht;
  readonly metrics: MetricsRegistry;
}

/** DHTs that call each other by signed calls over streams in memory. */
async function withMesh(
  count: number,
  test: (mesh: {
    readonly peers: readonly Peer[];
    readonly network: MemoryNetwork;
    /** Ends a peer as a crash does. */
    kill(peer: Peer): Promise<void>;
    /** Breaks all streams, so that none begins either, until it is called. */
    breakStreams(): () => void;
    later(seconds: number): number;
  }) => Promise<void>,
): Promise<void> {
  const network = new MemoryNetwork();
  const alive = new Set<string>();
  const peers: Peer[] = [];
  let wires = new AbortController();
  for (let i = 0; i < count; i++) {
    const identity = generateIdentity();
    const { peerId } = identity;
    const metrics = new MetricsRegistry();
    const rpc = new Rpc({
      transport: network.transport(peerId),
      authorizer: new SignatureAuthorizer(identity, systemClock),
      metrics,
    });
    alive.add(peerId);
    const dht = new Dht({
      peerId,
      calls: rpc,
      streams: {
        stream: (peer, method, body, { signal, timeout }) =>
          rpc.stream(peer, method, body, {
            timeout,
            signal: AbortSignal.any([wires.signal, ...signal ? [signal] : []]),
          }),
        registerStream: rpc.registerStream.bind(rpc),
      },
      members: () => [...alive].filter((each) => each !== peerId),
      validator: new CompositeValidator([new SignatureValidator(identity)]),
      metrics,
    });
    peers.push({ identity, rpc, dht, metrics });
  }
  const kill = async ({ identity, rpc, dht }: Peer) => {
    alive.delete(identity.peerId);
    network.dead.add(identity.peerId);
    await Promise.all([rpc.stop(), dht.stop()]);
  };
  try {
    await test({
      peers,
      network,
      kill,
      breakStreams: () => {
        wires.abort(new Error("The streams break."));
        return () => wires = new AbortController();
      },
      later: (seconds) => Date.now() / 1_000 + seconds,
    });
  } finally {
    await Promise.all(peers.map(kill));
  }
}

/** Collects what a watch tells, as text. */
function collect(dht: Dht, key: string) {
  const leaving = new AbortController();
  const told: string[] = [];
  const done = (async () => {
    for await (const event of dht.watch(key, { signal: leaving.signal })) {
      told.push(textOf(event));
    }
  })();
  const end = async () => {
    leaving.abort();
    await done;
  };
  return { told, end };
}

function textOf(event: WatchEvent): string {
  if (event.kind === "lagged") return "lagged";
  const { kind, subkey } = event;
  return kind === "changed" ? `${subkey}=${event.value}` : `${subkey} ${kind}`;
}

Deno.test("a watch tells what is there, and then every change once, until its signal", () =>
  withMesh(6, async ({ peers, later }) => {
    const [writer, reader] = peers as [Peer, Peer];
    const put = (subkey: string, value: number, life = 60) =>
      writer.dht.store(
        { key: "k", subkey, value, expiration: later(life) },
        { awaitAll: true },
      );
    await put("a", 1);
    await put("gone", 0);
    await writer.dht.delete("k", "gone", { awaitAll: true });
    const { told, end } = collect(reader.dht, "k");
    await eventually(() => told.length === 1, () => told);
    await put("b", 2);
    await put("a", 3, 90);
    await writer.dht.delete("k", "b", { awaitAll: true });
    await writer.dht.store({ key: "other", value: 1, expiration: later(60) });
    await put("end", 4);
    await eventually(() => told.includes("end=4"), () => told);
    assertEquals(told, ["a=1", "b=2", "a=3", "b deleted", "end=4"]);
    await end();
    await put("late", 5);
    assertEquals(told.length, 5);
  }));

Deno.test("a watch tells what is there again when a record is taken back", () =>
  withMesh(3, async ({ peers, later }) => {
    const [writer, reader, server] = peers as [Peer, Peer, Peer];
    const first = { key: "k", subkey: "a", value: 1, expiration: later(60) };
    await writer.dht.store(first, { awaitAll: true });
    const { told, end } = collect(reader.dht, "k");
    await eventually(() => told.length === 1, () => told);
    const step = async (name: StoreStep, subkey: string, expected: boolean) => {
      const record = {
        ...{ key: dhtId("k"), subkey: encode(subkey) },
        ...{ value: encode(9), expiration: later(60) + 40 },
      };
      records.set(subkey, records.get(subkey) ?? record);
      const held = { value: encode(1), expiration: first.expiration };
      const answer = await writer.rpc.call(
        server.identity.peerId,
        "dht.store-if",
        encodeStoreIf({
          step: name,
          record: records.get(subkey) ?? record,
          expected: expected ? recordDigest(held) : null,
        }),
        { timeout: 10_000 },
      );
      assertEquals(decodeStoreAnswers(answer, 1), ["stored"]);
    };
    const records = new Map<string, DhtRecord>();
    for (const [subkey, expected] of [["a", true], ["b", false]] as const) {
      await step("claim", subkey, expected);
      await step("settle", subkey, expected);
      await eventually(() => told.includes(`${subkey}=9`), () => told);
      await step("withdraw", subkey, expected);
      const then = expected ? "a=1" : "b deleted";
      await eventually(() => told.at(-1) === then, () => told);
    }
    // What lives shorter than what was taken back is told all the same.
    await writer.dht.store({ ...first, value: 2, expiration: later(80) });
    await eventually(() => told.at(-1) === "a=2", () => told);
    assertEquals(told, ["a=1", "a=9", "a=1", "b=9", "b deleted", "a=2"]);
    await end();
  }));

Deno.test("what changes while a watch is broken is told when it begins anew", () =>
  withMesh(7, async ({ peers, breakStreams, later }) => {
    const replicas = peers[0]?.dht.replicasOf("k") ?? [];
    const [reader, writer] = peers.filter(({ identity }) =>
      !replicas.includes(identity.peerId)
    ) as [Peer, Peer];
    const put = (subkey: string, value: number, life = 60) =>
      writer.dht.store(
        { key: "k", subkey, value, expiration: later(life) },
        { awaitAll: true },
      );
    for (const [i, subkey] of ["a", "b", "c"].entries()) await put(subkey, i);
    const { told, end } = collect(reader.dht, "k");
    await eventually(() => told.length === 3, () => told);
    const mend = breakStreams();
    await put("a", 9, 90);
    await writer.dht.delete("k", "b", { awaitAll: true });
    await put("d", 3);
    await put("e", 4);
    await writer.dht.delete("k", "e", { awaitAll: true });
    assertEquals(told.length, 3);
    mend();
    await eventually(() => told.length >= 6, () => told);
    await put("end", 5);
    await eventually(() => told.includes("end=5"), () => told);
    assertEquals(told.toSorted(), [
      ...["a=0", "a=9", "b deleted", "b=1", "c=2", "d=3", "end=5"],
    ]);
    await end();
  }));

Deno.test("a watch goes on when replicas are lost, and others take their place", () =>
  withMesh(9, async ({ peers, kill, later }) => {
    const [writer, reader] = peers as [Peer, Peer];
    const { told, end } = collect(reader.dht, "k");
    const put = (value: number) =>
      writer.dht.store(
        { key: "k", subkey: `s${value}`, value, expiration: later(60) },
        { awaitAll: true },
      );
    await put(1);
    await eventually(() => told.length === 1, () => told);
    const replicas = reader.dht.replicasOf("k");
    for (const peer of peers.slice(2)) {
      if (replicas.includes(peer.identity.peerId)) await kill(peer);
    }
    await put(2);
    await eventually(() => told.includes("s2=2"), () => told);
    assertEquals(told, ["s1=1", "s2=2"]);
    await end();
  }));

Deno.test("who reads slowly is told so, gets the newest state, and nothing grows", () =>
  withMesh(2, async ({ peers, later }) => {
    const [writer, reader] = peers as [Peer, Peer];
    const leaving = new AbortController();
    const watch = reader.dht.watch("k", { signal: leaving.signal });
    const first = watch.next();
    const expiration = later(60);
    const put = async (n: number) => {
      await writer.dht.storeMany(
        Array.from({ length: 50 }, (_, i) => ({
          key: "k",
          subkey: `s${i}`,
          value: n,
          expiration: expiration + n,
        })),
        { awaitAll: true },
      );
    };
    await put(0);
    await first;
    for (let n = 1; n <= 60; n++) await put(n);
    const newest = new Map<unknown, unknown>();
    let lagged = 0;
    while ([...newest.values()].filter((value) => value === 60).length < 50) {
      const { value: event } = await watch.next();
      if (event?.kind === "lagged") lagged++;
      else if (event?.kind === "changed") newest.set(event.subkey, event.value);
    }
    assert(lagged > 0);
    leaving.abort();
    assertEquals((await watch.next()).done, true);
  }));

Deno.test("a peer watches a bounded number of keys, and leaving makes room", () =>
  withMesh(2, async ({ peers }) => {
    const [server, client] = peers as [Peer, Peer];
    const open = async (n: number) => {
      const stream = client.rpc.stream(
        server.identity.peerId,
        "dht.watch",
        encodeWatch(dhtId(n)),
        { timeout: Infinity },
      );
      await stream.next();
      return stream;
    };
    const streams = [];
    for (let n = 0; n < 64; n++) streams.push(await open(n));
    await assertRejects(open(64), { code: "RPC_BAD_REQUEST" });
    for (const stream of streams) await stream.return(undefined);
    await eventually(
      async () => {
        const stream = await open(65).catch(() => undefined);
        await stream?.return(undefined);
        return stream !== undefined;
      },
      () => "no room",
    );
  }));

Deno.test("what a watcher does not take in time is left out, and it is told", async () => {
  const changes = new Changes();
  const record = (n: number, bytes = 10) => ({
    key: new Uint8Array(20),
    subkey: encode(n),
    value: new Uint8Array(bytes),
    expiration: 1,
  });
  const signal = AbortSignal.timeout(60_000);
  {
    using watching = changes.watch(new Uint8Array(20));
    for (let n = 0; n < 256; n++) changes.tell(record(n));
    assertEquals(Object.keys(await watching.next(signal)).length, 256);
    for (let n = 0; n < 1_000; n++) changes.tell(record(n));
    assertEquals(await watching.next(signal), "lagged");
    changes.tell(record(1));
    assertEquals(Object.keys(await watching.next(signal)).length, 1);
    for (let n = 0; n < 4; n++) changes.tell(record(n, 1_000_000));
    assertEquals(await watching.next(signal), "lagged");
    changes.tell({ ...record(1), key: new Uint8Array(20).fill(1) });
    assertEquals(await watching.next(AbortSignal.abort()), []);
  }
  changes.tell(record(1));
});

Deno.test("an item is handed over to one taker, and givers wait for it", async () => {
  const handoff = new Handoff<number>();
  const { signal } = new AbortController();
  const given: number[] = [];
  const giving = [1, 2].map(async (n) => {
    await handoff.give(n, signal);
    given.push(n);
  });
  await Promise.resolve();
  assertEquals(given, []);
  assertEquals(await handoff.take(signal), 1);
  assertEquals(await handoff.take(signal), 2);
  await Promise.all(giving);
  const gone = AbortSignal.abort(new Error("gone"));
  await assertRejects(handoff.give(3, gone), { message: "gone" });
  await assertRejects(handoff.take(gone), { message: "gone" });
});

Deno.test("only what is new is told, and nothing of what is refused", async () => {
  const clock = new ManualClock(1_000_000);
  const storage = new LocalStorage(() => clock.now() / 1_000);
  const { peerId } = generateIdentity();
  const dht = new Dht({
    peerId,
    calls: {
      call: () => Promise.reject(new Error()),
      register: () => () => {},
    },
    members: () => [],
    validator: new CompositeValidator([]),
    storage,
    clock,
  });
  const leaving = new AbortController();
  const watch = dht.watch("k", { signal: leaving.signal });
  const first = watch.next();
  await clock.advance(0);
  const put = (value: number, life: number) =>
    dht.store({ key: "k", value, expiration: 1_000 + life }).catch(() => {});
  await put(1, 60);
  assertEquals(textOf((await first).value as WatchEvent), "null=1");
  await put(1, 60);
  await put(2, 50);
  await put(3, 70);
  assertEquals(textOf((await watch.next()).value as WatchEvent), "null=3");
  assertEquals(storage.find(dhtId("k"), [NO_SUBKEY]).length, 1);
  leaving.abort();
  assertEquals((await watch.next()).done, true);
});

Deno.test("what is taken back before it was told is not told at all", async () => {
  const changes = new Changes();
  const key = new Uint8Array(20);
  const record = (n: number) => ({
    key,
    subkey: encode(n),
    value: encode(n),
    expiration: 1,
  });
  using watching = changes.watch(key);
  changes.tell(record(1));
  changes.tell(record(2));
  changes.takeBack(record(1));
  const signal = AbortSignal.timeout(60_000);
  assertEquals(await watching.next(signal), [record(2)]);
  changes.takeBack(record(2));
  changes.tell(record(3));
  const back = { takenBack: [record(2)] };
  assertEquals(await watching.next(signal), back);
  assertEquals(await watching.next(signal), [record(3)]);
  for (const change of [back, [record(3)], [], "lagged"] as const) {
    assertEquals(decodeChange(encodeChange(change), key), change);
  }
});
