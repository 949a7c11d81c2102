import { Membership } from "../../src/network/membership.ts";
import { assert, assertEquals } from "../assert.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

const PEERS = ["a", "b", "c", "d"];
const PARTS = ["connected", "enter", "connect", "discover"] as const;
type Part = typeof PARTS[number];

/** A membership whose host does each thing as the test wants it. */
function setUp(fault: (part: Part) => Promise<void> | undefined) {
  const clock = new VirtualClock();
  const connected = new Set<string>();
  const act = async <T>(part: Part, result: () => T): Promise<T> => {
    await fault(part);
    return result();
  };
  const join = (peerId: string) => {
    connected.add(peerId);
    membership.joined(peerId);
  };
  const membership = new Membership({
    connected: () => {
      fault("connected");
      return connected;
    },
    connect: (peerId) => act("connect", () => join(peerId)),
    connectAddress: () => act("enter", () => join("a")),
    discover: () => act("discover", () => PEERS),
  }, {
    peerId: "self",
    entries: [{ peerId: "a", address: "address of a" }],
    clock,
  });
  const end = new AbortController();
  const running = membership.run(end.signal);
  return {
    ...{ clock, connected, membership },
    stop: async () => {
      end.abort();
      await running;
    },
  };
}

Deno.test("no failure of the host ends the search for others", async () => {
  for (const broken of PARTS) {
    let isBroken = true;
    let failures = 0;
    const { clock, connected, membership, stop } = setUp((part) => {
      if (part !== broken || !isBroken) return;
      failures++;
      throw new Error(`${part} failed`);
    });
    await clock.advance(60_000);
    assert(failures > 1, `${broken} was tried ${failures} times`);
    assert(connected.size < PEERS.length);
    isBroken = false;
    await clock.advance(120_000);
    assertEquals([...connected].sort(), PEERS, broken);
    assert(membership.isComplete);
    await stop();
  }
});

Deno.test("what hangs is given up when the node stops", async () => {
  for (const hanging of PARTS.slice(1)) {
    let hangs = 0;
    const { clock, stop } = setUp((part) => {
      if (part !== hanging) return;
      hangs++;
      return new Promise(() => {});
    });
    await clock.advance(60_000);
    assert(hangs > 0, hanging);
    await stop();
  }
});
