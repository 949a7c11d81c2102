import { Connection } from "../../../src/chain/hypertensor/connection.ts";
import { HypertensorClient } from "../../../src/chain/hypertensor/mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../assert.ts";

/** A WebSocket server that answers as the test says; `undefined` is silence. */
async function withServer(
  answer: (request: {
    id: number;
    method: string;
    params: unknown[];
  }, socket: WebSocket) => unknown,
  test: (url: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<WebSocket>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      sockets.add(socket);
      socket.onmessage = ({ data }) => {
        const said = answer(JSON.parse(data), socket);
        if (said === undefined) return;
        socket.send(typeof said === "string" ? said : JSON.stringify(said));
      };
      return response;
    },
  );
  try {
    await test(`ws://127.0.0.1:${server.addr.port}`);
  } finally {
    for (const socket of sockets) {
      if (socket.readyState === WebSocket.OPEN) socket.close();
    }
    await server.shutdown();
  }
}

Deno.test("answers come to whoever asked, in any order", () => {
  const held: string[] = [];
  return withServer(({ id, params }, socket) => {
    held.push(JSON.stringify({ jsonrpc: "2.0", id, result: params[0] }));
    if (held.length === 3) held.reverse().forEach((each) => socket.send(each));
    return undefined;
  }, async (url) => {
    const connection = await Connection.open(url);
    const answers = [1, 2, 3].map((i) => connection.request("echo", [i]));
    assertEquals(await Promise.all(answers), [1, 2, 3]);
    await connection.close();
  });
});

Deno.test("an error is told with its number and its words", () =>
  withServer(({ id }) => ({
    id,
    error: { code: 1010, message: "Invalid Transaction", data: "stale" },
  }), async (url) => {
    const connection = await Connection.open(url);
    await assertRejects(
      connection.request("author_submitExtrinsic"),
      (error) => {
        const { code, number, message } = error as unknown as Record<
          string,
          unknown
        >;
        assertEquals([code, number], ["CHAIN_RPC", 1010]);
        assert(String(message).includes("stale"));
        return true;
      },
    );
    await connection.close();
  }));

Deno.test("what is no JSON-RPC ends the connection, and nothing else", async () => {
  for (
    const garbage of [
      "{",
      "null",
      "[]",
      "7",
      '"text"',
      "\u0000",
      "[".repeat(100_000),
    ]
  ) {
    await withServer(() => garbage, async (url) => {
      const connection = await Connection.open(url);
      await assertRejects(connection.request("any"), {
        code: "CHAIN_CONNECTION",
      });
      await connection.closed;
      await assertRejects(connection.request("any"), {
        code: "CHAIN_CONNECTION",
      });
      await connection.close();
    });
  }
});

Deno.test("answers that nobody asked for are passed over", () =>
  withServer(({ id }, socket) => {
    for (
      const odd of [
        {},
        { id: 4711, result: 1 },
        { id: null, error: {} },
        { id: "x", result: 1 },
        { method: "a_b", params: null },
        { method: "a_b", params: { subscription: {}, result: 1 } },
        ...Array.from({ length: 200 }, (_, i) => ({
          method: "a_b",
          params: { subscription: i, result: 1 },
        })),
      ]
    ) socket.send(JSON.stringify(odd));
    return { id, result: "here" };
  }, async (url) => {
    const connection = await Connection.open(url);
    assertEquals(await connection.request("any"), "here");
    await connection.close();
  }));

Deno.test("a notice that comes before its subscription's name is not lost", () =>
  withServer(({ id }, socket) => {
    const params = { subscription: "s", result: 7 };
    socket.send(JSON.stringify({ method: "heads", params }));
    return { id, result: "s" };
  }, async (url) => {
    const connection = await Connection.open(url);
    const told: unknown[] = [];
    await connection.subscribe("subscribe", (value) => told.push(value));
    assertEquals(told, [7]);
    await connection.close();
  }));

Deno.test("silence ends a question, a signal ends it sooner", () =>
  withServer(() => undefined, async (url) => {
    const connection = await Connection.open(url, { timeout: 50 });
    await assertRejects(connection.request("any"), {
      code: "CHAIN_CONNECTION",
    });
    const reason = new Error("gave up");
    const gone = new AbortController();
    const asked = connection.request("any", [], gone.signal);
    gone.abort(reason);
    await assertRejects(asked, { message: "gave up" });
    await connection.close();
  }));

Deno.test("a lost connection fails what waits for it", () =>
  withServer((_, socket) => {
    socket.close();
    return undefined;
  }, async (url) => {
    const connection = await Connection.open(url);
    await assertRejects(connection.request("any"), {
      code: "CHAIN_CONNECTION",
    });
    await connection.close();
  }));

Deno.test("what is no chain's address is refused at once", async () => {
  for (const url of ["", "nonsense", "http://127.0.0.1:1", "ws//x"]) {
    assertThrows(() => HypertensorClient.open({ endpoints: [url] }), {
      code: "CHAIN_CONNECTION",
    });
  }
  assertThrows(() => HypertensorClient.open({ endpoints: [] }), {
    code: "CHAIN_CONNECTION",
  });
  await assertRejects(Connection.open("ws://127.0.0.1:9"), {
    code: "CHAIN_CONNECTION",
  });
});
