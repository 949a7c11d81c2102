import { assert, assertEquals } from "../assert.ts";
import { type Held, otherKey, testTables } from "./tables.ts";

const member = (owner: string) => owner.startsWith("member");
const SIZE = 128;

/** Stores small records of owners under keys of their own. */
function writer(at: Held) {
  let next = 0;
  return (owner: string, expiration: number, bytes = 100) => {
    const key = new Uint8Array(20);
    new DataView(key.buffer).setUint32(0, ++next);
    return at.put(new Uint8Array(bytes), expiration, undefined, key, { owner });
  };
}

/** How many records each owner has. */
function counts(at: Held, owners: ReadonlyMap<string, string>) {
  const found: Record<string, number> = {};
  for (const { key } of at.storage.scan()) {
    const owner = owners.get(key.toString()) ?? "?";
    found[owner] = (found[owner] ?? 0) + 1;
  }
  return found;
}

testTables(
  "a record beyond its size, a key beyond its subkeys are refused",
  (make) => {
    const at = make({ limits: { recordBytes: 1_000, subkeys: 3 } });
    assertEquals(at.put("x".repeat(1_000), 110), "record-too-large");
    for (const name of ["a", "b", "c"]) {
      assertEquals(at.put("x", 110, name), "stored");
    }
    assertEquals(at.put("x", 110, "d"), "key-full");
    assertEquals(
      at.put("y", 120, "c"),
      "stored",
      "a known subkey may be renewed",
    );
    at.clock.now = 115;
    assertEquals(at.put("x", 120, "d"), "stored", "once others are expired");
  },
);

testTables(
  "an owner has so many records and bytes, whatever the keys",
  (make) => {
    const at = make({
      limits: { ownerRecords: 3, ownerBytes: 3 * (SIZE + 501) },
    });
    const put = writer(at);
    for (let i = 0; i < 3; i++) assertEquals(put("A", 110), "stored");
    assertEquals(put("A", 110), "owner-full");
    assertEquals(put("B", 110, 500), "stored");
    assertEquals(put("B", 110, 500), "stored");
    assertEquals(put("B", 110, 600), "owner-full");
    at.put(new Uint8Array(500), 110, "own", otherKey(9), { owner: "B" });
    assertEquals(
      at.put(new Uint8Array(400), 120, "own", otherKey(9), { owner: "B" }),
      "stored",
      "its own may be replaced",
    );
    at.clock.now = 111;
    assertEquals(put("A", 120), "stored");
  },
);

testTables(
  "a member's record that gives way to a stranger's is impossible here",
  (make) => {
    const at = make({ isMember: member, limits: { records: 20 } });
    const put = writer(at);
    for (let i = 0; i < 20; i++) assertEquals(put("member-1", 110), "stored");
    for (let i = 0; i < 50; i++) {
      assertEquals(put(`stranger-${i}`, 1_000), "storage-full");
    }
    assertEquals(at.storage.records, 20);
  },
);

testTables(
  "strangers give way to members, whoever takes most first",
  (make) => {
    const at = make({ isMember: member, limits: { records: 20 } });
    const put = writer(at);
    for (let i = 0; i < 16; i++) put("stranger-big", 200 + i);
    for (let i = 0; i < 4; i++) put("stranger-small", 101);
    for (let i = 0; i < 8; i++) {
      assertEquals(put("member-1", 110), "stored");
    }
    const left = [...at.storage.scan()].map(({ expiration }) => expiration);
    assertEquals(left.filter((each) => each === 101).length, 4);
    assertEquals(
      at.metrics.get("meshnode_records_evicted_total", {
        owner: "stranger",
        reason: "storage-full",
      }),
      8,
    );
    assertEquals(
      left.filter((each) => each >= 200).toSorted(),
      [208, 209, 210, 211, 212, 213, 214, 215],
      "what expires soonest went first",
    );
  },
);

testTables(
  "among equals, who takes more than its share gives way, until all have the same",
  (make) => {
    const at = make({ isMember: member, limits: { records: 30 } });
    const put = writer(at);
    for (let i = 0; i < 30; i++) put("member-greedy", 1_000 + i);
    for (const owner of ["member-a", "member-b"]) {
      for (let i = 0; i < 9; i++) assertEquals(put(owner, 110), "stored");
    }
    assertEquals(at.storage.records, 30);
    const greedy = [...at.storage.scan()]
      .filter(({ expiration }) => expiration >= 1_000);
    assertEquals(greedy.length, 12);
    // Full and fair: nobody else gives way, one's own that expires sooner does.
    assertEquals(put("member-greedy", 500), "storage-full");
    assertEquals(put("member-greedy", 2_000), "stored");
    assertEquals(at.storage.records, 30);
  },
);

testTables(
  "one large record takes the place of many small ones of strangers",
  (make) => {
    const at = make({
      isMember: member,
      limits: { bytes: 200 * (SIZE + 101) },
    });
    const put = writer(at);
    for (let i = 0; i < 200; i++) put(`stranger-${i}`, 110);
    assertEquals(put("stranger-new", 110, 10_000), "storage-full");
    assertEquals(at.storage.records, 200, "and nothing went for nothing");
    assertEquals(put("member-1", 110, 10_000), "stored");
    assert(at.storage.records > 140, `${at.storage.records}`);
    assert(at.storage.bytes <= 200 * (SIZE + 101));
  },
);

testTables(
  "in a full key a stranger's subkey gives way to a member's",
  (make) => {
    const at = make({ isMember: member, limits: { subkeys: 10 } });
    for (let i = 0; i < 10; i++) {
      at.put("x", 110 + i, `s-${i}`, undefined, { owner: `stranger-${i}` });
    }
    const put = (owner: string, name: string) =>
      at.put("y", 150, name, undefined, { owner });
    assertEquals(put("stranger-x", "x"), "key-full");
    for (let i = 0; i < 10; i++) {
      assertEquals(put("member-1", `m-${i}`), "stored");
    }
    assertEquals(put("member-1", "m-10"), "key-full");
    assertEquals(put("member-2", "other"), "stored", "who has most gives way");
    assertEquals(at.held().length, 10);
  },
);

testTables("who is a member may change, and counts at once", (make) => {
  const members = new Set(["A", "B"]);
  const at = make({
    isMember: (owner) => members.has(owner),
    limits: { records: 10 },
  });
  const put = writer(at);
  for (let i = 0; i < 10; i++) put("A", 110);
  assertEquals(put("C", 110), "storage-full");
  members.delete("A");
  assertEquals(put("B", 105), "stored");
  members.add("C");
  assertEquals(put("C", 105), "stored");
  assertEquals(at.storage.records, 10);
});

testTables(
  "a storage that grows without end is impossible here, and members keep all",
  (make) => {
    const at = make({
      isMember: member,
      limits: { records: 500, bytes: 200_000, ownerRecords: 200, subkeys: 100 },
    });
    const put = writer(at);
    const owners = new Map<string, string>();
    for (let i = 0; i < 40; i++) put(`member-${i % 4}`, 1_000);
    let stored = 0;
    for (let i = 0; i < 3_000; i++) {
      // Under keys of its own, under one key, with many names or one.
      const owner = i % 3 === 0 ? "attacker" : `attacker-${i}`;
      const outcome = i % 2 === 0
        ? put(owner, 10_000 + i, i % 900)
        : at.put("x", 10_000 + i, `sub-${i}`, otherKey(7), { owner });
      if (outcome === "stored") stored++;
      assert(at.storage.bytes <= 200_000);
    }
    assert(stored > 100);
    assert(at.storage.records <= 500);
    const members = [...at.storage.scan()]
      .filter(({ expiration }) => expiration === 1_000);
    assertEquals(members.length, 40);
    const evicted = (owner: string) =>
      at.metrics.get("meshnode_records_evicted_total", {
        owner,
        reason: "storage-full",
      });
    assertEquals(evicted("member"), 0);
    assertEquals(at.metrics.get("meshnode_records"), at.storage.records);
    assertEquals(counts(at, owners)["?"], at.storage.records);
    at.clock.now = 20_000;
    while (at.storage.records > 0) { /* dropped step by step */ }
    assertEquals(at.storage.bytes, 0);
  },
);
