import fc from "fast-check";
import { ReplayWindow } from "../../src/auth/replay_window.ts";
import { assert, assertEquals } from "../assert.ts";

const PERIOD = 1_000;
const requests = fc.array(
  fc.record({
    peer: fc.constantFrom("a", "b", "c"),
    nonce: fc.constantFrom("1", "2", "3", "4"),
    pause: fc.nat(700),
  }),
  { maxLength: 200 },
);

Deno.test("what a peer sent within a period is never admitted again", () => {
  fc.assert(fc.property(requests, (sent) => {
    const window = new ReplayWindow(PERIOD, { noncesPerPeer: 100, peers: 10 });
    const admitted = new Map<string, number>();
    let now = 0;
    for (const { peer, nonce, pause } of sent) {
      now += pause;
      const name = `${peer} ${nonce}`;
      const last = admitted.get(name);
      const answer = window.admit(peer, nonce, now);
      const age = last === undefined ? Infinity : now - last;
      if (age < PERIOD) assertEquals(answer, "seen", name);
      if (age >= 3 * PERIOD) assertEquals(answer, "new", name);
      if (answer === "new") admitted.set(name, now);
    }
  }));
});

Deno.test("what one peer sends changes nothing for another", () => {
  fc.assert(fc.property(requests, (sent) => {
    const make = () =>
      new ReplayWindow(PERIOD, { noncesPerPeer: 3, peers: 10 });
    const [together, alone] = [make(), make()];
    let now = 0;
    for (const { peer, nonce, pause } of sent) {
      now += pause;
      const answer = together.admit(peer, nonce, now);
      if (peer === "a") assertEquals(alone.admit(peer, nonce, now), answer);
    }
  }));
});

Deno.test("the window holds no more than its bounds, and says when it is full", () => {
  const bounds = { noncesPerPeer: 5, peers: 3 };
  const many = fc.constantFrom(2, 9).chain((last) =>
    fc.array(
      fc.record({ peer: fc.nat(last), nonce: fc.nat(50) }),
      { maxLength: 300 },
    )
  );
  fc.assert(fc.property(many, (sent) => {
    const window = new ReplayWindow(PERIOD, bounds);
    const taken = new Map<number, number>();
    for (const { peer, nonce } of sent) {
      const before = window.size;
      const answer = window.admit(`${peer}`, `${nonce}`, 0);
      assert(window.size <= bounds.peers && window.size >= before);
      // With three peers nobody is forgotten, and each has its own bound.
      if (peer < 3 && answer === "new") {
        taken.set(peer, (taken.get(peer) ?? 0) + 1);
      }
    }
    const few = sent.every(({ peer }) => peer < 3);
    const counts = [...taken.values()];
    assert(!few || counts.every((count) => count <= bounds.noncesPerPeer));
  }));
});
