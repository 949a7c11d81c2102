import { concat } from "../../mod.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { readFrames } from "./read_frames.ts";
import { assertEquals, assertRejects } from "../assert.ts";

async function* portions(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

const body = new Uint8Array(300_000).map((_, i) => i % 251);

Deno.test("frames are the same in whatever portions their bytes come", async () => {
  const wire = concat(
    encodeFrame(FRAME.request, 7, { method: "echo", body }),
    encodeFrame(FRAME.end, 8),
    encodeFrame(FRAME.item, 9, { body: body.subarray(0, 5) }),
  );
  for (const size of [1, 3, 4, 5, 4096, wire.length]) {
    const frames = await Array.fromAsync(readFrames(portions(wire, size)));
    assertEquals(
      frames.map(({ call, method, body }) => [
        call,
        method,
        body.length,
      ]),
      [[7, "echo", body.length], [8, "", 0], [9, "", 5]],
    );
    assertEquals(frames[0]?.body, body);
  }
});

Deno.test("a stream that ends inside a frame is refused at every length", async () => {
  const wire = encodeFrame(FRAME.request, 1, {
    method: "m",
    body: body.subarray(0, 20),
  });
  for (let length = 1; length < wire.length; length++) {
    await assertRejects(
      Array.fromAsync(readFrames(portions(wire.subarray(0, length), 3))),
      { code: "RPC_PROTOCOL" },
    );
  }
});
