import { StakeRegistry } from "../../../mod.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { eventually } from "../../eventually.ts";
import { ChainServer } from "../../fixtures/chain/server/mod.ts";
import { withFolder } from "../../system/program.ts";
import { withServed } from "./served.ts";

Deno.test("heads come as the chain makes them, and end with the signal", () =>
  withServed(async ({ server, chain }) => {
    const end = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { number, hash } of chain.heads(end.signal)) {
        assertEquals(hash, server.head.hash);
        seen.push(number);
      }
    })();
    for (let i = 0; i < 3; i++) {
      const { number } = server.produce();
      await eventually(() => seen.at(-1) === number, () => seen.join());
    }
    end.abort();
    await reading;
  }));

Deno.test("a dropped connection is made anew, and reads go on through it", () =>
  withServed(async ({ server, chain, metrics }) => {
    assertEquals((await chain.head()).number, server.head.number);
    for (let i = 0; i < 3; i++) {
      server.dropAll();
      const view = await chain.view(server.produce());
      assertEquals((await view.nodes(server.subnetId)).length, 4);
    }
    await eventually(
      () => metrics.get("meshnode_chain_connections_total") >= 2,
      () => `${metrics.get("meshnode_chain_connections_total")} connections`,
    );
    assert(chain.status.connected);
  }));

Deno.test("connections made anew keep the runtime, unless its code is another one", () =>
  withServed(async ({ server, chain, metrics }) => {
    const connections = () => metrics.get("meshnode_chain_connections_total");
    const runtime = await chain.client.runtime();
    server.dropAll();
    await eventually(() => connections() >= 2, connections);
    assert(await chain.client.runtime() === runtime);
    // The version stays, as it did on the real chain: it says nothing.
    await server.upgrade("r25", server.head.runtime.specVersion);
    server.produce();
    await eventually(
      async () => (await chain.client.runtime()) !== runtime,
      () => "the runtime is the old one",
    );
    const { id, types } = await chain.client.runtime();
    assertEquals(types.layout, "R25");
    assertEquals(id.specVersion, runtime.id.specVersion);
    assert(id.code !== runtime.id.code);
  }));

Deno.test("a read that is under way when the connection drops is answered", () =>
  withServed(async ({ server, chain }) => {
    const view = await chain.view();
    server.faults.slowness = 100;
    const reading = view.nodes(server.subnetId);
    await new Promise((resolve) => setTimeout(resolve, 30));
    server.dropAll();
    assertEquals((await reading).length, 4);
  }));

Deno.test("an endpoint that falls silent is left for another one", async () => {
  const other = await ChainServer.start({ genesis: `0x${"45".repeat(32)}` });
  try {
    other.produce(5);
    await withServed(async ({ server, open }) => {
      const chain = open({
        endpoints: [server.url, other.url],
        silence: 2,
        timeout: 300,
      });
      assertEquals(chain.status.failure, undefined);
      await chain.head();
      assertEquals(chain.status.endpoint, server.url);
      server.faults.silent = true;
      await eventually(
        () => chain.status.endpoint === other.url && chain.status.connected,
        () => JSON.stringify(chain.status),
      );
      assertEquals((await chain.head()).number, other.head.number);
    }, { blockMilliseconds: 250, genesis: `0x${"45".repeat(32)}` });
  } finally {
    await other.close();
  }
});

Deno.test("an endpoint of another chain is refused, and says which it is", async () => {
  const other = await ChainServer.start({});
  try {
    await withServed(async ({ server, open }) => {
      const chain = open({
        endpoints: [server.url, other.url],
        timeout: 1_000,
      });
      await chain.head();
      await server.refuseConnections();
      await eventually(
        () => /another chain/.test(chain.status.failure ?? ""),
        () => JSON.stringify(chain.status),
      );
      server.acceptConnections();
      await eventually(
        () => chain.status.connected && chain.status.endpoint === server.url,
        () => JSON.stringify(chain.status),
      );
    });
  } finally {
    await other.close();
  }
});

Deno.test("busy endpoints are asked again, at connecting and at answering", () =>
  withServed(async ({ server, chain, open }) => {
    await chain.head();
    server.faults.tooMany = "answers";
    const view = chain.view().then((view) => view.subnet(server.subnetId));
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.faults.tooMany = undefined;
    assertEquals((await view)?.id, server.subnetId);
    server.faults.tooMany = "connections";
    const late = open();
    const head = late.head();
    await eventually(
      () => late.status.failure !== undefined,
      () => JSON.stringify(late.status),
    );
    server.faults.tooMany = undefined;
    assertEquals((await head).number, server.head.number);
  }));

Deno.test("garbage from the endpoint is an unreadable chain, and passes", () =>
  withServed(
    async ({ server, chain }) => {
      await chain.head();
      server.faults.garbage = "{{{";
      await assertRejects(
        chain.view().then((view) => view.balance(`0x${"11".repeat(20)}`)),
        { code: "CHAIN_UNREADABLE" },
      );
      delete server.faults.garbage;
      await eventually(
        () => chain.status.connected,
        () => JSON.stringify(chain.status),
      );
      assertEquals(
        (await (await chain.view()).nodes(server.subnetId)).length,
        4,
      );
    },
    {},
    { timeout: 2_000 },
  ));

Deno.test("a new runtime is noticed with the block that brings it", () =>
  withServed(async ({ server, chain }) => {
    const before = await chain.client.runtime();
    await server.upgrade("r26");
    server.produce();
    server.produce();
    await eventually(
      async () =>
        (await chain.client.runtime()).id.specVersion !== before.id.specVersion,
      () => "the runtime is the same",
    );
    assertEquals(
      (await (await chain.view()).nodes(server.subnetId)).length,
      4,
    );
  }));

Deno.test("a chain that turns into an unknown one is refused by name", () =>
  withServed(async ({ server, chain }) => {
    await chain.head();
    await server.upgrade("r26b");
    server.produce();
    server.produce();
    await eventually(
      () => /not understood/.test(chain.status.failure ?? ""),
      () => JSON.stringify(chain.status),
    );
    await assertRejects(chain.head(), { code: "CHAIN_LAYOUT_UNKNOWN" });
    await server.upgrade("r26");
    server.produce();
    await eventually(
      () => chain.status.connected,
      () => JSON.stringify(chain.status),
    );
  }));

Deno.test("heads of another branch are followed, also to the same height", () =>
  withServed(async ({ server, chain }) => {
    server.produce(5);
    const { number, hash } = await chain.head();
    server.reorganise(1);
    await eventually(
      async () => (await chain.head()).hash === server.head.hash,
      () => "the old branch",
    );
    assertEquals((await chain.head()).number, number);
    assert((await chain.head()).hash !== hash);
    server.reorganise(2, 1);
    await eventually(
      async () => (await chain.head()).number === number - 1,
      () => "the longer branch",
    );
  }));

Deno.test("a start without the chain goes by the last good state, marked stale", () =>
  withFolder((cacheFolder) =>
    withServed(async ({ server, open }) => {
      const first = open({ cacheFolder });
      const view = await first.view();
      const members = await view.nodes(server.subnetId);
      assertEquals(view.stale, false);
      await first.close();
      await server.refuseConnections();
      const second = open({ cacheFolder, patience: 50, timeout: 500 });
      const stale = await second.view();
      assertEquals(stale.stale, true);
      assertEquals(stale.block.number, view.block.number);
      assertEquals(await stale.nodes(server.subnetId), members);
      assertEquals((await second.constants()).epochLength, 20);
      assert(second.status.stale);
      await assertRejects(stale.balance(`0x${"77".repeat(20)}`), {
        code: "CHAIN_UNREADABLE",
      });
      server.acceptConnections();
      await eventually(
        () => second.status.connected,
        () => JSON.stringify(second.status),
      );
      assertEquals((await second.view()).stale, false);
    })
  ));

Deno.test("members stay admitted after a start without the chain, strangers are not", () =>
  withFolder((cacheFolder) =>
    withServed(async ({ server, open, peerIds }) => {
      const { subnetId } = server;
      const [member = ""] = peerIds;
      server.produce(30);
      const first = open({ cacheFolder });
      const before = new StakeRegistry({ chain: first, subnetId });
      await before.refresh();
      assertEquals(before.health, "fresh");
      assertEquals(before.peek(member), "staked");
      await first.close();
      await server.refuseConnections();
      const second = open({ cacheFolder, patience: 50, timeout: 300 });
      const after = new StakeRegistry({ chain: second, subnetId });
      await after.refresh();
      assertEquals(after.health, "stale");
      assertEquals(after.peek(member), "staked");
      assertEquals(await after.check("12D3KooWstranger"), "unknown");
      server.acceptConnections();
      await eventually(
        () => second.status.connected,
        () => JSON.stringify(second.status),
      );
      server.produce();
      await eventually(async () => {
        await after.refresh();
        return after.health === "fresh";
      }, () => after.health);
    })
  ));

Deno.test("metadata is kept on the disk, and loaded anew when it is damaged", () =>
  withFolder((cacheFolder) =>
    withServed(async ({ open }) => {
      const kept = async () => {
        const files = [];
        for await (const { name } of Deno.readDir(cacheFolder)) {
          if (name.endsWith(".metadata")) files.push(`${cacheFolder}/${name}`);
        }
        return files;
      };
      const connect = async () => {
        const chain = open({ cacheFolder });
        await chain.head();
        await chain.close();
      };
      await connect();
      const [path = "", ...more] = await kept();
      assertEquals(more, []);
      const good = await Deno.readFile(path);
      const { mtime } = await Deno.stat(path);
      await connect();
      assertEquals((await Deno.stat(path)).mtime, mtime);
      await Deno.writeTextFile(path, "damaged");
      await connect();
      assertEquals(await Deno.readFile(path), good);
    })
  ));

Deno.test("closing ends what waits", () =>
  withServed(async ({ server, open }) => {
    await server.refuseConnections();
    const chain = open();
    const head = chain.head();
    head.catch(() => {});
    await chain.close();
    await assertRejects(head, { code: "CHAIN_UNREADABLE" });
    server.acceptConnections();
  }));
