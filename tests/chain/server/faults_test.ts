import { assert, assertEquals } from "../../assert.ts";
import { eventually } from "../../eventually.ts";
import { ChainServer, type Hex } from "../../fixtures/chain/server/mod.ts";
import { foundValidators, withServer } from "./client.ts";

/** A bare socket: what it says is what the server said. */
async function withSocket(
  test: (given: {
    server: ChainServer;
    socket: WebSocket;
    heard: string[];
    ask: (method: string, ...params: unknown[]) => void;
  }) => Promise<void>,
): Promise<void> {
  const server = await ChainServer.start();
  const socket = new WebSocket(server.url);
  const heard: string[] = [];
  const open = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => open.resolve();
  socket.onclose = () => closed.resolve();
  socket.onmessage = ({ data }) => heard.push(data);
  let id = 0;
  try {
    await open.promise;
    await test({
      server,
      socket,
      heard,
      ask: (method, ...params) =>
        socket.send(
          JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }),
        ),
    });
  } finally {
    socket.close();
    await closed.promise;
    await server.close();
  }
}

Deno.test("what is no request, and what nobody knows, is answered with its code", () =>
  withSocket(async ({ socket, heard, ask }) => {
    const code = async () => {
      await eventually(() => heard.length > 0, () => "nothing was heard");
      return JSON.parse(heard.shift() as string).error.code;
    };
    socket.send("{");
    assertEquals(await code(), -32700);
    socket.send("5");
    assertEquals(await code(), -32600);
    socket.send(new Uint8Array([1, 2]));
    assertEquals(await code(), -32600);
    for (const method of ["system_dryRun", "toString", "state_getPairs"]) {
      ask(method);
      assertEquals(await code(), -32601);
    }
    ask("state_getStorage", "0x1");
    assertEquals(await code(), -32602);
    ask("state_getStorage", "0x12", `0x${"9".repeat(64)}`);
    assertEquals(await code(), 4003);
    ask("state_call", "NetworkRuntimeApi_get_subnet_info", "0x01");
    assertEquals(await code(), 4003);
    ask("state_getKeysPaged", "0x", 1_001);
    assertEquals(await code(), 4002);
  }));

Deno.test("several requests at once are answered at once", () =>
  withSocket(async ({ socket, heard }) => {
    socket.send(JSON.stringify([
      { jsonrpc: "2.0", id: 1, method: "system_chain", params: [] },
      { jsonrpc: "2.0", id: 2, method: "nothing", params: [] },
    ]));
    await eventually(() => heard.length > 0, () => "nothing was heard");
    const [first, second] = JSON.parse(heard[0] as string);
    assertEquals(first.result, "hoskinson_testnet");
    assertEquals(second.error.code, -32601);
  }));

Deno.test("silence, garbage, slowness and haste can be had at will", () =>
  withSocket(async ({ server, heard, ask }) => {
    const { faults } = server;
    faults.silent = true;
    ask("system_chain");
    ask("chain_subscribeNewHeads");
    await eventually(() => server.requests === 2, () => server.requests);
    server.produce(3);
    faults.silent = false;
    faults.garbage = "\u0000garbage{";
    ask("system_chain");
    await eventually(() => heard.length > 0, () => "nothing was heard");
    assertEquals(heard, ["\u0000garbage{"], "and nothing from the silence");
    delete faults.garbage;
    faults.tooMany = "answers";
    ask("system_chain");
    await eventually(() => heard.length > 1, () => "nothing was heard");
    assertEquals(JSON.parse(heard[1] as string).error.code, -32029);
    faults.tooMany = undefined;
    // It takes longer than the test; closing does not wait for it.
    faults.slowness = 3_600_000;
    ask("system_name");
    await eventually(() => server.requests === 5, () => server.requests);
    faults.slowness = 0;
    ask("system_chain");
    await eventually(() => heard.length > 2, () => "nothing was heard");
    assertEquals(JSON.parse(heard[2] as string).result, "hoskinson_testnet");
  }));

Deno.test("connections are refused, limited and dropped at will, and come back", () =>
  withSocket(async ({ server, socket, heard }) => {
    const closes = (url: string) =>
      new Promise<boolean>((resolve) => {
        const other = new WebSocket(url);
        other.onopen = () => {
          resolve(false);
          other.close();
        };
        other.onerror = () => resolve(true);
      });
    assertEquals(await closes(server.url), false);
    server.faults.tooMany = "connections";
    const answer = await fetch(server.url.replace("ws:", "http:"));
    assertEquals(answer.status, 429);
    await answer.body?.cancel();
    assertEquals(await closes(server.url), true);
    server.faults.tooMany = undefined;
    await server.refuseConnections();
    await eventually(
      () => socket.readyState === WebSocket.CLOSED,
      () => socket.readyState,
    );
    assertEquals(await closes(server.url), true);
    server.acceptConnections();
    assertEquals(await closes(server.url), false);
    assertEquals(heard, []);
    server.faults.dropEvery = 100;
    const last = new WebSocket(server.url);
    const ended = Promise.withResolvers<number>();
    last.onclose = ({ code }) => ended.resolve(code);
    assertEquals(await ended.promise, 4_000);
  }));

Deno.test("best blocks are replaced by others of the same height and of a lower one", () =>
  withServer(async ({ server, client }) => {
    const heads: { number: string; parentHash: Hex }[] = [];
    await client.provider.isReady;
    await client.provider.subscribe(
      "chain_newHead",
      "chain_subscribeNewHeads",
      [],
      (_error, head) => heads.push(head),
    );
    const first = server.produce(4).hash;
    const second = server.reorganise(1).hash;
    const lower = server.reorganise(2, 1);
    await eventually(() => heads.length >= 7, () => JSON.stringify(heads));
    assertEquals(heads.map(({ number }) => Number(number)), [
      ...[0, 1, 2, 3, 4],
      4,
      3,
    ]);
    assert(first !== second);
    assertEquals(
      await client.ask("chain_getBlockHash", 3),
      lower.hash,
    );
    assertEquals(await client.ask("chain_getBlockHash", 4), null);
    // A block of no branch any more can still be read by its hash.
    assertEquals(
      (await client.ask<{ number: string }>("chain_getHeader", first)).number,
      "0x4",
    );
  }));

Deno.test("state is that of the block it is asked at", () =>
  withServer(async ({ server, client }) => {
    foundValidators(server, 1);
    const { hash } = server.produce();
    server.ledger.remove(1);
    server.produce();
    const at = ["network", "subnetNodesData", [server.subnetId, 1]] as const;
    assertEquals(await client.read(...at, hash) !== undefined, true);
    const ids = await Promise.all([
      client.read(...at, hash),
      client.read(...at),
    ]) as { id: number }[];
    assertEquals(ids.map(({ id }) => id), [1, 0]);
    const key = server.head.runtime.storage.key(...flat(at));
    const keys = (block?: Hex) =>
      client.ask<Hex[]>(
        "state_getKeysPaged",
        key.slice(0, -8),
        10,
        null,
        block,
      );
    assertEquals(await keys(hash), [key]);
    assertEquals(await keys(), []);
    assertEquals(await client.ask("state_queryStorageAt", [key], hash), [{
      block: hash,
      changes: [[
        key,
        await client.ask("state_getStorage", key, hash),
      ]],
    }]);
  }));

function flat([pallet, item, args]: readonly [
  string,
  string,
  readonly unknown[],
]): [string, string, ...unknown[]] {
  return [pallet, item, ...args];
}

Deno.test("a new runtime is told, and is in force from the next block on", () =>
  withServer(async ({ server, client }) => {
    foundValidators(server, 1);
    server.produce();
    const versions: number[] = [];
    await client.provider.isReady;
    await client.provider.subscribe(
      "state_runtimeVersion",
      "state_subscribeRuntimeVersion",
      [],
      (_error, { specVersion }) => versions.push(specVersion),
    );
    const before = server.head;
    await server.upgrade("r25");
    assertEquals(versions, [1]);
    server.produce();
    await eventually(() => versions.length > 1, () => versions.join());
    assertEquals(versions, [1, 2]);
    const node = await client.read("network", "subnetNodesData", [
      server.subnetId,
      1,
    ]) as { peerId: string };
    assert(node.peerId.startsWith("0x3132"), "in the earlier layout");
    const metadata = (at?: Hex) => client.ask<string>("state_getMetadata", at);
    assert(await metadata() !== await metadata(before.hash));
    await server.upgrade("strange");
    server.produce();
    const field = new TextEncoder().encode("peer_data").toHex();
    assert((await metadata()).includes(field));
  }));
