import fc from "fast-check";
import {
  concat,
  dhtId,
  encode,
  LocalStorage,
  NO_SUBKEY,
  type ValidationType,
} from "../../../mod.ts";
import {
  fingerprint,
  fromBytes,
  joined,
  toBytes,
  underKey,
} from "../../../src/dht/repair/fingerprint.ts";
import { portions } from "../../../src/dht/repair/portions.ts";
import {
  decodeCompare,
  decodeCompareAnswers,
  decodeRange,
  decodeRangeAnswer,
  encodeCompare,
  encodeCompareAnswers,
  encodeRange,
  type KeyAnswer,
} from "../../../src/dht/repair/repair_wire.ts";
import { decodeStoreAnswers, encodeStore } from "../../../src/dht/wire.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../assert.ts";
import { runAll, setUp } from "../fixture.ts";

const record = (key: string, value: string, expiration = 2_000) => ({
  key: dhtId(key),
  subkey: encode(`sub-${value}`),
  value: encode(value),
  expiration,
});

Deno.test("copies are judged as copies, with their sender, and taken from members only", async () => {
  const seen: [ValidationType, string | undefined][] = [];
  const { bus, at, later } = setUp(3);
  const judged = setUp(0).add({
    members: () => [at(0).identity.peerId],
    validator: {
      priority: 0,
      validate: (_record, type, sender) => {
        seen.push([type, sender]);
        return true;
      },
      signValue: ({ value }) => value,
      stripValue: ({ value }) => value,
      mergeWith: () => false,
    },
    calls: bus.of("judged"),
  });
  const body = encodeStore([record("k", "v", later(60))]);
  const stranger = await bus.raw("judged", "dht.copy", body);
  assertEquals(decodeStoreAnswers(stranger, 1), ["refused"]);
  assertEquals([seen.length, judged.dht.records], [0, 0]);
  const { peerId } = at(0).identity;
  const member = await bus.of(peerId).call("judged", "dht.copy", body, {
    timeout: 1_000,
  });
  assertEquals(decodeStoreAnswers(member, 1), ["stored"]);
  assertEquals(seen, [["copy", peerId]]);
});

Deno.test("a rule with a window that is over takes copies, and no stores", async () => {
  let isOpen = true;
  const storages: LocalStorage[] = [];
  const { clock, peers, at, later, bus, add } = setUp(
    0,
    (_record, type) => type !== "post" || isOpen,
  );
  const grow = () => {
    const storage = new LocalStorage(() => clock.now() / 1000);
    storages.push(storage);
    return add({ storage });
  };
  for (let i = 0; i < 6; i++) grow();
  await using background = runAll(peers);
  const request = { key: "k", value: 1, expiration: later(600) };
  await at(0).dht.store(request, { awaitAll: true });
  isOpen = false;
  await assertRejects(
    at(1).dht.store({ ...request, expiration: later(700) }),
    { code: "STORE_BELOW_QUORUM" },
  );
  const holders = at(0).dht.replicasOf("k");
  bus.dead.add(holders[1] as string).add(holders[2] as string);
  background.add(grow());
  await clock.advance(30_000);
  const alive = peers.filter(({ identity }) => !bus.dead.has(identity.peerId));
  for (const id of alive[0]?.dht.replicasOf("k") ?? []) {
    const i = peers.findIndex(({ identity }) => identity.peerId === id);
    assertEquals(storages[i]?.held(dhtId("k")).length, 1);
  }
});

Deno.test("fingerprints tell records apart, and sets of them in any order", () => {
  const records = fc.uniqueArray(
    fc.record({
      subkey: fc.uint8Array({ maxLength: 40 }),
      value: fc.uint8Array({ maxLength: 40 }),
      expiration: fc.double({ noNaN: true, noDefaultInfinity: true }),
    }),
    { selector: (each) => JSON.stringify([...each.subkey, -1, ...each.value]) },
  );
  fc.assert(fc.property(records, (set) => {
    const prints = set.map(fingerprint);
    assertEquals(new Set(prints).size, set.length);
    assertEquals(joined(prints), joined(prints.toReversed()));
    for (const each of prints) assertEquals(fromBytes(toBytes(each)), each);
  }));
  // What moves from the subkey into the value, or to another key, is different.
  const [a, b, c] = [1, 2, 3].map((n) => Uint8Array.of(n)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  assert(
    fingerprint({ subkey: concat(a, b), value: c, expiration: 1 }) !==
      fingerprint({ subkey: a, value: concat(b, c), expiration: 1 }),
  );
  assert(underKey(dhtId("a"), 5n) !== underKey(dhtId("b"), 5n));
});

Deno.test("portions cover every key once, and all ranges between them", () => {
  const storage = new LocalStorage(() => 1_000);
  for (let i = 0; i < 700; i++) {
    for (let n = 0; n < i % 4; n++) {
      storage.store(record(`key-${i}`, `${n}`));
    }
  }
  const parts = [...portions(storage)];
  assert(parts.length > 1);
  assertEquals(parts[0]?.after, new Uint8Array(20));
  assertEquals(parts.at(-1)?.last, new Uint8Array(20).fill(255));
  for (const [i, part] of parts.slice(1).entries()) {
    assertEquals(part.after, parts[i]?.last);
  }
  const keys = parts.flatMap((part) => part.keys);
  assertEquals(keys.length, 525);
  for (const { key, fingerprint: print } of keys) {
    assertEquals(print, joined(storage.held(key).map(fingerprint)));
  }
  assertEquals([...portions(new LocalStorage(() => 1_000))], []);
});

Deno.test("comparisons come back from their bytes, and nothing malformed does", () => {
  const range = {
    after: dhtId("a"),
    last: dhtId("b"),
    fingerprint: 2n ** 64n - 1n,
  };
  assertEquals(decodeRange(encodeRange(range)), range);
  const states = [{ key: dhtId("a"), fingerprint: 0n }, {
    key: dhtId("b"),
    fingerprint: 77n,
  }];
  assertEquals(decodeCompare(encodeCompare(states)), states);
  const answers: KeyAnswer[] = ["same", "later", [], [
    { name: 1n, expiration: 2.5, fingerprint: 3n },
  ]];
  const told = encodeCompareAnswers(answers);
  assertEquals(decodeCompareAnswers(told, 4), answers);
  for (const read of [decodeRange, decodeCompare, decodeRangeAnswer]) {
    assertThrows(() => read(new Uint8Array([0xc1])), { name: "DecodeError" });
  }
  for (let length = 0; length < told.length; length++) {
    assertThrows(() => decodeCompareAnswers(told.slice(0, length), 4), {
      name: "DecodeError",
    });
  }
  assertThrows(() => decodeCompareAnswers(told, 3), { name: "DecodeError" });
  const many = Array.from({ length: 257 }, () => states[0]);
  assertThrows(
    () => decodeCompare(encodeCompare(many as typeof states)),
    { name: "DecodeError" },
  );
});

Deno.test("a comparison of many records is answered in parts that end", async () => {
  const mesh = setUp(0);
  const limits = {
    subkeys: 4_096,
    records: 100_000,
    bytes: 1e9,
    ownerRecords: 100_000,
    ownerBytes: 1e9,
  };
  const storages: LocalStorage[] = [];
  const add = () => {
    const storage = new LocalStorage(() => mesh.clock.now() / 1000, { limits });
    storages.push(storage);
    return mesh.add({ storage });
  };
  add();
  for (let key = 0; key < 6; key++) {
    for (let i = 0; i < 3_000; i++) {
      storages[0]?.store({
        key: dhtId(`k${key}`),
        subkey: encode(i),
        value: NO_SUBKEY,
        expiration: mesh.later(600),
      });
    }
  }
  await using background = runAll(mesh.peers);
  await mesh.clock.advance(10_000);
  background.add(add());
  await mesh.clock.advance(60_000);
  assertEquals(storages[1]?.records, 18_000);
});
