import type { MultiaddrConnection } from "@libp2p/interface";
import { joinWrites } from "../../src/network/joined_writes.ts";
import { assertEquals } from "../assert.ts";

/** A connection whose socket notes what is written to it. */
function setUp() {
  const done: string[] = [];
  const socket = {
    writableNeedDrain: false,
    write: (bytes: Uint8Array) => {
      done.push([...bytes.subarray(0, 8)].join(""));
      return true;
    },
  };
  const connection = joinWrites(
    {
      status: "open",
      socket,
      sendClose: () => Promise.resolve(void done.push("close")),
    } as unknown as MultiaddrConnection,
  ) as unknown as {
    status: string;
    sendData(
      parts: Iterable<Uint8Array>,
    ): { sentBytes: number; canSendMore: boolean };
    sendClose(): Promise<void>;
  };
  return { done, socket, connection };
}

const parts = (...numbers: number[]) => numbers.map((n) => Uint8Array.of(n));

Deno.test("what is sent at one moment is one write, in its order", async () => {
  const { done, connection } = setUp();
  assertEquals(connection.sendData(parts(1, 2)).sentBytes, 2);
  connection.sendData(parts(3));
  assertEquals(done, []);
  await Promise.resolve();
  assertEquals(done, ["123"]);
  connection.sendData(parts(4));
  await Promise.resolve();
  assertEquals(done, ["123", "4"]);
});

Deno.test("much is written at once, so that no more than that is held back", () => {
  const { done, connection } = setUp();
  connection.sendData(parts(1));
  connection.sendData([new Uint8Array(64 * 1024)]);
  assertEquals(done, ["10000000"]);
});

Deno.test("what was sent before the close is written before it", async () => {
  const { done, connection } = setUp();
  connection.sendData(parts(1));
  await connection.sendClose();
  assertEquals(done, ["1", "close"]);
});

Deno.test("nothing is written to a socket that was reset", async () => {
  const { done, connection } = setUp();
  connection.sendData(parts(1));
  connection.status = "aborted";
  await Promise.resolve();
  assertEquals(done, []);
});

Deno.test("a full socket is told of", () => {
  const { socket, connection } = setUp();
  assertEquals(connection.sendData(parts(1)).canSendMore, true);
  socket.writableNeedDrain = true;
  assertEquals(connection.sendData(parts(1)).canSendMore, false);
});
