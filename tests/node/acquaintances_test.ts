import { createNode, generateIdentity, ManualClock } from "../../mod.ts";
import { Acquaintances } from "../../src/node/acquaintances.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };
const ADDRESS = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWExample";

async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  "a node comes back into the mesh although its entry point hangs",
  libp2p,
  () =>
    withFolder(async (dataFolder) => {
      const identity = generateIdentity();
      await using first = await createNode();
      const bootstrap = first.addresses();
      await using other = await createNode({ bootstrap });
      const options = { identity, bootstrap, dataFolder };
      const before = await createNode(options);
      const file = new Acquaintances(`${dataFolder}/peers.json`);
      const isKept = (peerId: string) =>
        file.recall().some((address) => address.endsWith(`/p2p/${peerId}`));
      await eventually(
        () => [first, other].every(({ peerId }) => isKept(peerId)),
        () => file.recall(),
      );
      await before.stop();
      // Its address takes connections, and nothing ever comes of them.
      await first.stop();
      const [, port] = /\/tcp\/(\d+)\//.exec(bootstrap[0] as string) ?? [];
      const frozen = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
      try {
        await using after = await createNode(options);
        await eventually(
          () => after.members().includes(other.peerId),
          () => after.status().network,
        );
        await eventually(
          () => after.status().state === "online",
          () => after.status().state,
        );
      } finally {
        frozen.close();
      }
    }),
);

Deno.test("what cannot be read or is no list of addresses is nobody, and does no harm", () =>
  withFolder((folder) => {
    const path = `${folder}/peers.json`;
    const file = new Acquaintances(path);
    assertEquals(file.recall(), []);
    for (const text of ["", "{", "null", '{"a":1}', "[1,null,[]]"]) {
      Deno.writeTextFileSync(path, text);
      assertEquals(file.recall(), [], text);
    }
    Deno.writeTextFileSync(path, JSON.stringify(["x".repeat(70_000)]));
    assertEquals(file.recall(), [], "it is too long");
    new Acquaintances(`${folder}/absent/peers.json`).keep([ADDRESS]);
    return Promise.resolve();
  }));

Deno.test("who is alone keeps those that were there, and a file is written when they are others", () =>
  withFolder(async (folder) => {
    const file = new Acquaintances(`${folder}/peers.json`);
    const clock = new ManualClock();
    const end = new AbortController();
    let asked = 0;
    let members: readonly string[] = ["a"];
    const running = file.run(
      {
        members: () => members,
        memberAddresses: () => {
          asked++;
          return members.map((each) => `${ADDRESS}${each}`);
        },
      },
      clock,
      end.signal,
    );
    await clock.advance(20_000);
    assertEquals([file.recall(), asked], [[`${ADDRESS}a`], 1]);
    members = ["b", "c"];
    await clock.advance(20_000);
    assertEquals(file.recall(), [`${ADDRESS}b`, `${ADDRESS}c`]);
    members = [];
    await clock.advance(20_000);
    assertEquals(file.recall(), [`${ADDRESS}b`, `${ADDRESS}c`]);
    end.abort();
    await running;
    file.keep(Array.from({ length: 1_000 }, (_, i) => `${ADDRESS}${i}`));
    assert(file.recall().length <= 256);
  }));
