import { MetricsRegistry } from "../../mod.ts";
import {
  Membership,
  type MembershipOptions,
} from "../../src/network/membership.ts";
import { REDIAL } from "../../src/network/redials.ts";
import { assert, assertEquals } from "../assert.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

const peer = (i: number) => `peer-${i}`;
const entry = { peerId: peer(0), address: "address of peer-0" };

/** A world in which some peers can be reached, and all of them know each other. */
function setUp(count: number, options: Partial<MembershipOptions> = {}) {
  const clock = new VirtualClock();
  const metrics = new MetricsRegistry();
  const reachable = new Set(Array.from({ length: count }, (_, i) => peer(i)));
  const connected = new Set<string>();
  const dials: string[] = [];
  const world = { heard: [...reachable], isUp: true };
  const membership = new Membership({
    connected: () => connected,
    connect: (peerId) => {
      dials.push(peerId);
      if (!world.isUp || !reachable.has(peerId)) {
        return Promise.reject(new Error("out of reach"));
      }
      connected.add(peerId);
      membership.returned(peerId);
      membership.joined(peerId);
      return Promise.resolve();
    },
    connectAddress: () => connect(entry.peerId),
    discover: () => Promise.resolve(world.heard),
  }, {
    peerId: "self",
    entries: [entry],
    clock,
    metrics,
    ...options,
  });
  const connect = (peerId: string) => {
    if (!world.isUp || !reachable.has(peerId)) {
      return Promise.reject(new Error("out of reach"));
    }
    connected.add(peerId);
    membership.joined(peerId);
    return Promise.resolve();
  };
  const drop = (peerId: string) => {
    connected.delete(peerId);
    membership.lost(peerId);
  };
  const end = new AbortController();
  const running = membership.run(end.signal);
  return {
    clock,
    metrics,
    membership,
    reachable,
    connected,
    dials,
    world,
    drop,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
    },
  };
}

Deno.test("the whole of a large subnet is taken in from one entry point", async () => {
  await using mesh = setUp(300);
  const { clock, membership } = mesh;
  assertEquals(membership.state, "joining");
  // Each call that ends makes room for the next.
  await clock.advance(1_000);
  assertEquals(membership.present().length, 300);
  assert(membership.isComplete);
  assertEquals(membership.state, "joined");
});

Deno.test("the same members are the same array", async () => {
  await using mesh = setUp(5);
  const { clock, membership, drop } = mesh;
  await clock.advance(10_000);
  const present = membership.present();
  await clock.advance(10_000);
  assert(membership.present() === present);
  drop(peer(3));
  assertEquals(
    membership.present().toSorted(),
    [0, 1, 2, 4].map(peer),
  );
  assertEquals(present.length, 5, "what was handed out stays as it was");
});

Deno.test("a member that is away is called for ever, ever more rarely, and taken back", async () => {
  await using mesh = setUp(4);
  const { clock, membership, reachable, dials, drop } = mesh;
  await clock.advance(10_000);
  reachable.delete(peer(2));
  drop(peer(2));
  dials.length = 0;
  await clock.advance(REDIAL.recently);
  const often = dials.length;
  assert(often >= REDIAL.recently / REDIAL.last, `${often} calls`);
  assert(often < 2 * REDIAL.recently / REDIAL.last, `${often} calls`);
  dials.length = 0;
  await clock.advance(10 * 3_600_000);
  const hours = dials.length / 10;
  assert(hours >= 11 && hours <= 13, `${hours} calls an hour`);
  reachable.add(peer(2));
  await clock.advance(REDIAL.rarely + 1_000);
  assertEquals(membership.present().length, 4);
});

Deno.test("a node that was cut off for minutes or hours is back within 30 s, and says what it is", async () => {
  for (const minutes of [1, 5, 120]) {
    await using mesh = setUp(16);
    const { clock, membership, metrics, world, drop, connected } = mesh;
    await clock.advance(10_000);
    world.isUp = false;
    [...connected].forEach(drop);
    const isolated = () => metrics.get("meshnode_network_isolated");
    await clock.advance(3_000);
    assertEquals(membership.state, "joined", "a moment is no isolation");
    await clock.advance(minutes * 60_000);
    assertEquals([membership.state, isolated()], ["isolated", 1]);
    assertEquals(membership.present(), []);
    world.isUp = true;
    await clock.advance(30_000);
    assertEquals(membership.present().length, 16);
    assertEquals([membership.state, isolated()], ["joined", 0]);
  }
});

Deno.test("the first node of a mesh is alone, and not isolated", async () => {
  await using mesh = setUp(0, { entries: [] });
  await mesh.clock.advance(60_000);
  assertEquals(mesh.membership.state, "alone");
  assert(mesh.membership.isComplete);
});

Deno.test("an entry point that is not there is called again and again", async () => {
  await using mesh = setUp(0);
  const { clock, membership, reachable } = mesh;
  await clock.advance(3_600_000);
  assertEquals(membership.state, "isolated");
  reachable.add(peer(0));
  await clock.advance(30_000);
  assertEquals(membership.present(), [peer(0)]);
});

Deno.test("peers that are only heard of cost few calls, and hold nobody up", async () => {
  await using mesh = setUp(10);
  const { clock, membership, world, dials } = mesh;
  world.heard.push(...Array.from({ length: 5_000 }, (_, i) => `liar-${i}`));
  await clock.advance(1_000);
  assert(!membership.isComplete, "somebody may be there still");
  await clock.advance(60_000);
  assertEquals(membership.present().length, 10);
  dials.length = 0;
  await clock.advance(3_600_000);
  const asked = new Set(dials).size;
  assert(asked <= 1_024, `${asked} peers called`);
  assert(membership.isComplete, "those who never answered are nobody");
  assertEquals(membership.present().length, 10);
});

Deno.test("one part of the network holds a bounded number of members, this machine as many as it wants", () => {
  const metrics = new MetricsRegistry();
  const connected = new Set<string>();
  const membership = new Membership({
    connected: () => connected,
    connect: () => Promise.resolve(),
    connectAddress: () => Promise.resolve(),
    discover: () => Promise.resolve([]),
  }, {
    peerId: "self",
    entries: [],
    perNetwork: 8,
    clock: new VirtualClock(),
    metrics,
  });
  const join = (name: string, network?: string) => {
    connected.add(name);
    membership.joined(name, network);
  };
  for (let i = 0; i < 20; i++) join(`a-${i}`, "192.0.2.0/24");
  assertEquals(membership.present().length, 8);
  assertEquals(metrics.get("meshnode_network_crowded_total"), 12);
  join("b", "198.51.100.0/24");
  for (let i = 0; i < 20; i++) join(`local-${i}`);
  assertEquals(membership.present().length, 29);
  membership.forget("a-0");
  join("a-20", "192.0.2.0/24");
  assert(membership.present().includes("a-20"), "a place that became free");
});

Deno.test("beyond the bound of members, who has been missing longest makes room", () => {
  const connected = new Set<string>();
  const clock = new VirtualClock();
  const membership = new Membership({
    connected: () => connected,
    connect: () => Promise.resolve(),
    connectAddress: () => Promise.resolve(),
    discover: () => Promise.resolve([]),
  }, { peerId: "self", entries: [], clock });
  for (let i = 0; i < 1_024; i++) {
    connected.add(peer(i));
    membership.joined(peer(i));
  }
  connected.add("late");
  for (let i = 0; i < 100; i++) membership.joined("late", "10.0.0.0/24");
  assert(!membership.present().includes("late"), "nobody is missing");
  connected.delete(peer(7));
  membership.lost(peer(7));
  membership.joined("late", "10.0.0.0/24");
  assert(
    membership.present().includes("late"),
    "whoever is turned away does not crowd its network",
  );
  assertEquals(membership.present().length, 1_024);
});

Deno.test("whoever is connected and not introduced yet is still to be expected, for a while", async () => {
  await using mesh = setUp(3);
  const { clock, membership, connected, world } = mesh;
  await clock.advance(1_000);
  assert(membership.isComplete);
  for (const late of ["late", "silent"]) connected.add(late);
  membership.heard([...world.heard, "late"]);
  assert(!membership.isComplete, "it is connected, and no member yet");
  membership.joined("late");
  assert(membership.isComplete);
  membership.heard([...world.heard, "silent"]);
  await clock.advance(1_000);
  membership.heard([...world.heard, "silent"]);
  assert(!membership.isComplete);
  await clock.advance(1_500);
  assert(membership.isComplete, "it never says who it is");
  membership.lost("silent");
  membership.heard(["silent"]);
  assert(!membership.isComplete);
  membership.lost("silent");
  assert(membership.isComplete);
});
