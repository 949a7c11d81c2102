import fc from "fast-check";
import {
  compare,
  dhtIdOfBytes,
  distance,
  generateIdentity,
} from "../../mod.ts";
import { base58btc } from "multiformats/bases/base58";
import { Neighbourhood } from "../../src/dht/neighbourhood.ts";
import { assert, assertEquals } from "../assert.ts";

const ids = Array.from({ length: 64 }, () => generateIdentity().peerId);

/** By sorting everybody: slow, and hard to get wrong. */
function sorted(key: Uint8Array, peers: readonly string[]): string[] {
  return peers
    .map((peer) => ({
      peer,
      far: distance(dhtIdOfBytes(base58btc.baseDecode(peer)), key),
    }))
    .sort((a, b) => compare(a.far, b.far))
    .map(({ peer }) => peer);
}

Deno.test("the nearest peers are those that sorting everybody by distance gives", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 63 })),
      fc.integer({ min: 0, max: 70 }),
      (key, chosen, count) => {
        const others = chosen.map((i) => ids[i] as string);
        const self = ids[0] as string;
        const neighbourhood = new Neighbourhood(self, () => others);
        const expected = sorted(key, [self, ...others]).slice(0, count);
        assertEquals(neighbourhood.nearest(key, count), expected);
        assertEquals(
          neighbourhood.among([self, ...others])(key, count),
          expected,
        );
      },
    ),
  );
});

Deno.test("peers that come and go are seen at the next key", () => {
  const [self, a, b] = ids as [string, string, string];
  let members: readonly string[] = [];
  const neighbourhood = new Neighbourhood(self, () => members);
  const key = new Uint8Array(20);
  assertEquals(neighbourhood.nearest(key, 5), [self]);
  members = [a, b, a, self];
  assertEquals(neighbourhood.nearest(key, 5).toSorted(), [self, a, b].sort());
  assertEquals(neighbourhood.peers(), [self, a, b]);
  members = [b];
  assertEquals(neighbourhood.peers(), [self, b]);
  assertEquals([self, a, b].map((id) => neighbourhood.has(id)), [
    true,
    false,
    true,
  ]);
});

Deno.test("a peer's place comes from its id, so that nobody chooses it", () => {
  const [self] = ids as [string];
  const neighbourhood = new Neighbourhood(self, () => []);
  assertEquals(
    neighbourhood.placeOf(self),
    dhtIdOfBytes(base58btc.baseDecode(self)),
  );
  assert(neighbourhood.placeOf(self).length === 20);
});
