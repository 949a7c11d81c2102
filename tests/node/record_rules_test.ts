import {
  type Chain,
  commitKey,
  commitment,
  dhtTime,
  generateIdentity,
  type Identity,
  LocalStorage,
  type MeshValue,
  MetricsRegistry,
  ownedSubkey,
  type Reveal,
  revealKey,
  revealValue,
} from "../../mod.ts";
import { Dht, StoreError } from "../../src/dht/mod.ts";
import { makeRecordRules } from "../../src/node/record_rules.ts";
import { openEpochs, SteadyEpochs } from "../../src/node/steady_epochs.ts";
import type { SubnetRules } from "../../src/node/options.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { CallBus } from "../dht/call_bus.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { secret } from "../validation/epoch.ts";

interface Member {
  readonly identity: Identity;
  readonly dht: Dht;
  readonly metrics: MetricsRegistry;
}

/** Members whose rules are those of a node with a chain, in an epoch that a test sets. */
function members(count: number, subnet: SubnetRules = {}) {
  const clock = new VirtualClock(1_700_000_000_000);
  const bus = new CallBus(clock);
  const place = { epoch: 3, elapsed: 0, length: 20, blockSeconds: 6 };
  const all: Member[] = [];
  for (let i = 0; i < count; i++) {
    const identity = generateIdentity();
    const { peerId } = identity;
    const metrics = new MetricsRegistry();
    const storage = new LocalStorage(() => dhtTime(clock));
    const dht: Dht = new Dht({
      peerId,
      calls: bus.of(peerId),
      members: () =>
        all.map((each) => each.identity.peerId).filter((id) => id !== peerId),
      validator: makeRecordRules({ subnet }, {
        ...{ identity, storage, clock, metrics },
        registry: undefined,
        epochs: { now: () => place },
        records: () => dht,
      }),
      ...{ storage, clock, metrics },
    });
    all.push({ identity, dht, metrics });
  }
  const put = (member: Member, key: string, value: MeshValue) =>
    member.dht.store({
      key,
      value,
      subkey: ownedSubkey(member.identity),
      expiration: dhtTime(clock) + 120,
    });
  const commit = (member: Member, made: Reveal) =>
    put(
      member,
      commitKey(place.epoch),
      commitment(place.epoch, member.identity.peerId, made),
    );
  const reveal = (member: Member, made: Reveal) =>
    put(member, revealKey(place.epoch), revealValue(made));
  const go = (progress: number) => place.elapsed = 20 * progress;
  return { clock, bus, all, put, commit, reveal, go, place };
}

const outcomesOf = async (work: Promise<unknown>) => {
  try {
    await work;
    return "stored";
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    return [...new Set(error.result.replicas.map(({ outcome }) => outcome))]
      .join();
  }
};

Deno.test("members commit and reveal, though the replicas of reveals are not those of commits", async () => {
  const mesh = members(16);
  const made = mesh.all.map((_, i) => secret(`work ${i}`));
  mesh.go(0.3);
  for (const [i, member] of mesh.all.entries()) {
    await mesh.commit(member, made[i] as Reveal);
  }
  mesh.go(0.55);
  for (const [i, member] of mesh.all.entries()) {
    await mesh.reveal(member, made[i] as Reveal);
  }
  const reader = mesh.all[0] as Member;
  for (const key of [commitKey(3), revealKey(3)]) {
    const found = await reader.dht.get(key, { latest: true });
    assert(found?.kind === "dictionary");
    assertEquals(found.entries.length, 16, key);
  }
  const apart = new Set(reader.dht.replicasOf(commitKey(3)))
    .symmetricDifference(new Set(reader.dht.replicasOf(revealKey(3))));
  assert(apart.size > 0, "some replicas had to look commits up");
});

Deno.test("a reveal that opens nothing is taken nowhere, one without a commit may come again", async () => {
  const mesh = members(8);
  const [honest, liar, silent] = mesh.all as [Member, Member, Member];
  const made = secret("work");
  mesh.go(0.3);
  await mesh.commit(honest, made);
  await mesh.commit(liar, secret("something else"));
  mesh.go(0.55);
  assertEquals(await outcomesOf(mesh.reveal(liar, made)), "refused");
  assertEquals(await outcomesOf(mesh.reveal(silent, made)), "later");
  assertEquals(await outcomesOf(mesh.reveal(honest, made)), "stored");
});

Deno.test("records of no kind are refused, unless the subnet names them", async () => {
  const plain = (member: Member, key: string) =>
    outcomesOf(member.dht.store({
      key,
      value: "hello",
      expiration: Date.parse("2023-11-14T22:14:00Z") / 1_000,
    }));
  for (
    const [rules, chat, other] of [
      [undefined, "refused", "refused"],
      [[{ name: "chat", key: "chat", owned: false }], "stored", "refused"],
      ["any", "stored", "stored"],
    ] as const
  ) {
    const subnet = rules === undefined ? {} : { rules };
    const mesh = members(3, subnet);
    const [first] = mesh.all as [Member];
    assertEquals(await plain(first, "chat"), chat);
    assertEquals(await plain(first, "other"), other);
    assertEquals(await outcomesOf(mesh.put(first, "node", 1)), "stored");
    assertEquals(await plain(first, "node"), "refused", "no plain heartbeat");
  }
});

Deno.test("a replica that forgot everything but its records takes no second commit", async () => {
  const clock = new VirtualClock(1_700_000_000_000);
  const identity = generateIdentity();
  const storage = new LocalStorage(() => dhtTime(clock));
  const metrics = new MetricsRegistry();
  const rules = () =>
    makeRecordRules({}, {
      ...{ identity, storage, clock, metrics, registry: undefined },
      epochs: {
        now: () => ({ epoch: 3, elapsed: 6, length: 20, blockSeconds: 6 }),
      },
      records: () => ({
        store: () => Promise.reject(new Error("unused")),
        get: () => Promise.resolve(undefined),
      }),
    });
  const peer = (validator = rules()) =>
    new Dht({
      peerId: identity.peerId,
      calls: new CallBus(clock).of(identity.peerId),
      members: () => [],
      ...{ validator, storage, clock, metrics },
    });
  const commit = (dht: Dht, made: Reveal, lives: number) =>
    outcomesOf(dht.store({
      key: commitKey(3),
      subkey: ownedSubkey(identity),
      value: commitment(3, identity.peerId, made),
      expiration: dhtTime(clock) + lives,
    }));
  const made = secret("a");
  assertEquals(await commit(peer(), made, 100), "stored");
  const restarted = peer();
  assertEquals(await commit(restarted, secret("b"), 120), "refused");
  assertEquals(await commit(restarted, made, 100), "stored", "the same again");
});

Deno.test("while the chain is away, the epoch goes on by time", () => {
  let reading: ReturnType<SteadyEpochs["now"]> & { age: number } | undefined;
  let now = 1_000_000;
  const epochs = new SteadyEpochs({ now: () => reading }, () => now);
  assertEquals(epochs.now(), undefined);
  reading = { epoch: 7, elapsed: 18, length: 20, blockSeconds: 6, age: 2_000 };
  assertEquals(epochs.now()?.elapsed, 18);
  reading = undefined;
  now += 5_000;
  const at = () => [epochs.now()?.epoch, epochs.now()?.elapsed];
  assertEquals(at(), [7, 19]);
  now += 6_000;
  assertEquals(at(), [8, 0]);
  now += 20 * 6_000 * 5;
  assertEquals(at(), [13, 0]);
  reading = { epoch: 9, elapsed: 1, length: 20, blockSeconds: 6, age: 0 };
  assertEquals(at(), [9, 1], "the chain knows better");
});

Deno.test("without a chain there are no epochs, and a chain that cannot be read ends the start", async () => {
  const clock = new VirtualClock(0);
  const metrics = new MetricsRegistry();
  assertEquals(await openEpochs({}, 1, clock, metrics), undefined);
  const chain = {
    constants: () => Promise.reject(new Error("no chain")),
  } as unknown as Chain;
  await assertRejects(openEpochs({ chain: { chain } }, 1, clock, metrics));
});
