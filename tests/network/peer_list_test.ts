import fc from "fast-check";
import {
  decodePeers,
  encodePeers,
  PEER_LIST_LIMITS,
} from "../../src/network/peer_list.ts";
import { networkOf } from "../../src/network/origin.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const peers = fc.array(
  fc.record({
    peerId: fc.string({ maxLength: 60 }),
    addresses: fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }),
  }),
  { maxLength: 20 },
);

Deno.test("lists of peers come back from their bytes", () => {
  fc.assert(fc.property(peers, (drawn) => {
    const list = drawn.map((each) => ({ ...each }));
    assertEquals(decodePeers(encodePeers(list)), list);
  }));
});

Deno.test("anything else is refused with a typed error", () => {
  const good = encodePeers([
    { peerId: "12D3KooW", addresses: [Uint8Array.of(1, 2), Uint8Array.of(3)] },
  ]);
  const bad = [
    ...Array.from(good, (_, length) => good.slice(0, length)),
    Uint8Array.of(...good, 0),
    Uint8Array.of(0xff, 0xff),
    Uint8Array.of(0, 1, 1, 0xff, 0),
    Uint8Array.of(0, 1, 1, 0x41, 9, ...Array(9).fill(0)),
  ];
  for (const bytes of bad) {
    assertThrows(() => decodePeers(bytes), { code: "PEER_LIST_INVALID" });
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      decodePeers(bytes);
    } catch (error) {
      assertEquals((error as { code?: string }).code, "PEER_LIST_INVALID");
    }
  }));
});

Deno.test("what is beyond the bounds of a list is left out", () => {
  const many = Array.from({ length: 2_000 }, (_, i) => ({
    peerId: `peer-${i}`,
    addresses: Array.from({ length: 20 }, () => new Uint8Array(40)),
  }));
  const bytes = encodePeers(many);
  assert(bytes.length <= PEER_LIST_LIMITS.bytes);
  const told = decodePeers(bytes);
  assertEquals(told.length, PEER_LIST_LIMITS.peers);
  assertEquals(told[0]?.addresses.length, PEER_LIST_LIMITS.addresses);
  const long = [{ peerId: "a", addresses: [new Uint8Array(300)] }];
  assertEquals(decodePeers(encodePeers(long)), [
    { peerId: "a", addresses: [] },
  ]);
});

Deno.test("addresses are counted by the part of the network they are in", () => {
  assertEquals(networkOf("192.0.2.77"), "192.0.2.0/24");
  assertEquals(networkOf("2001:db8:0:1::/64"), "2001:db8:0:1::/64");
  assertEquals(networkOf("elsewhere"), "elsewhere");
});
