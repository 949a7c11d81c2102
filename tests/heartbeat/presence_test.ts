import {
  Directory,
  HeartbeatAnnouncer,
  type LiveNode,
  PingAggregator,
  type Presence,
  presenceFile,
  type PresenceMemory,
  wasOnline,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { withFolder } from "../system/program.ts";
import { makeMesh, type MeshPeer } from "./mesh.ts";

const START = 1_700_000_000;

function setUp() {
  const { clock, peers } = makeMesh(3);
  const [own, other] = peers as [MeshPeer, MeshPeer];
  const kept: Presence[] = [];
  const memory: PresenceMemory = {
    recall: () => kept.at(-1),
    keep: (presence) => {
      kept.push(presence);
    },
  };
  /** One life of the node, of which every one has the same memory. */
  const live = () => {
    const heartbeat = new HeartbeatAnnouncer({
      identity: own.identity,
      records: own.dht,
      directory: new Directory(own.dht),
      pings: new PingAggregator({ ping: () => Promise.resolve(1), clock }),
      info: { role: "validator", throughput: 1 },
      period: 30,
      memory,
      clock,
    });
    const end = new AbortController();
    const running = heartbeat.run(end.signal);
    return {
      heartbeat,
      kill: async () => {
        end.abort();
        await running;
      },
    };
  };
  const read = async (): Promise<LiveNode> => {
    const nodes = await new Directory(other.dht).read();
    return nodes.find(({ peerId }) =>
      peerId === own.identity.peerId
    ) as LiveNode;
  };
  return { clock, live, read, kept };
}

Deno.test("a node that is killed and comes back at once was never away", async () => {
  const { clock, live, read } = setUp();
  const first = live();
  first.heartbeat.setState("online");
  await clock.advance(40_000);
  await first.kill();
  await clock.advance(5_000);
  const second = live();
  await clock.advance(1_000);
  const joining = await read();
  assertEquals(joining.info.state, "joining");
  assert(wasOnline(joining, START + 20), "its time before is told already");
  second.heartbeat.setState("online");
  await clock.advance(1_000);
  const online = await read();
  assertEquals(online.info.onlineSince, START);
  assert(wasOnline(online, START + 42));
  await second.kill();
});

Deno.test("a node that is away for longer tells of both times", async () => {
  const { clock, live, read } = setUp();
  await clock.advance(10_000);
  const first = live();
  first.heartbeat.setState("online");
  await clock.advance(5_000);
  await first.kill();
  await clock.advance(100_000);
  const second = live();
  second.heartbeat.setState("online");
  await clock.advance(1_000);
  const { info } = await read();
  // The first life counts until its last heartbeat ended.
  assertEquals(info.before?.since, START + 10);
  assertEquals(Math.floor(info.before?.until ?? 0), START + 70);
  assertEquals(info.onlineSince, START + 115);
  const was = async (at: number) => wasOnline(await read(), START + at);
  assertEquals(
    await Promise.all([5, 10, 69, 71, 114, 115].map(was)),
    [false, true, true, false, false, true],
  );
  await second.kill();
});

Deno.test("who vanished counts only when known for longer, who left does not need to be", async () => {
  const { clock, live, read } = setUp();
  const first = live();
  first.heartbeat.setState("online");
  await clock.advance(1_000);
  const fresh = await read();
  assert(wasOnline(fresh, START + 50, START + 59));
  assert(!wasOnline(fresh, START + 50, START + 61), "it ends by then");
  await first.kill();
  await clock.advance(100_000);
  const second = live();
  second.heartbeat.setState("online");
  await clock.advance(1_000);
  const back = await read();
  assert(wasOnline(back, START + 50, START + 59));
  assert(
    !wasOnline(back, START + 50, START + 61),
    "as long as it is back, too",
  );
  second.heartbeat.setState("offline");
  await clock.advance(1_000);
  const left = await read();
  assert(wasOnline(left, START + 101.5, START + 110));
  assert(!wasOnline(left, START + 102, START + 110));
  second.heartbeat.setState("online");
  await clock.advance(1_000);
  assert(wasOnline(await read(), START + 101.5, START + 110));
  await second.kill();
});

Deno.test("a node that leaves and comes back was away in between", async () => {
  const { clock, live, read } = setUp();
  const first = live();
  first.heartbeat.setState("online");
  await clock.advance(10_000);
  first.heartbeat.setState("offline");
  await clock.advance(10_000);
  assert(!wasOnline(await read(), START + 15));
  first.heartbeat.setState("online");
  await clock.advance(10_000);
  const was = async (at: number) => wasOnline(await read(), START + at);
  const times = [0, 9, 10, 19, 20];
  const expected = [true, true, false, false, true];
  assertEquals(await Promise.all(times.map(was)), expected);
  await first.kill();
  await first.heartbeat.farewell();
  const second = live();
  second.heartbeat.setState("online");
  await clock.advance(1_000);
  assertEquals((await read()).info.before, {
    since: START + 20,
    until: START + 30,
    left: true,
  });
  await second.kill();
});

Deno.test("what is remembered is written before it is told", async () => {
  const { clock, live, read, kept } = setUp();
  const { heartbeat, kill } = live();
  heartbeat.setState("online");
  await clock.advance(1);
  const { expiration } = await read();
  assertEquals(kept.at(-1), {
    since: START,
    until: expiration,
    left: false,
    expiration,
  });
  await kill();
});

Deno.test("the presence is kept in a file, and a damaged one is no presence", () =>
  withFolder(async (folder) => {
    const path = `${folder}/presence.json`;
    const memory = presenceFile(path);
    assertEquals(memory.recall(), undefined);
    const presence = { since: 1.5, until: 20, left: false, expiration: 20 };
    memory.keep({ ...presence, since: 1 });
    memory.keep(presence);
    assertEquals(presenceFile(path).recall(), presence);
    const { mode } = await Deno.stat(path);
    assertEquals((mode ?? 0) & 0o777, 0o600);
    for (
      const text of ["", "{", "null", '{"since":1}', "x".repeat(2_000)]
    ) {
      await Deno.writeTextFile(path, text);
      assertEquals(memory.recall(), undefined);
    }
    presenceFile(`${folder}/none/presence.json`).keep(presence);
  }));
