import type { Duplex } from "../../mod.ts";
import { FrameWriter } from "../../src/rpc/frame_writer.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** A stream whose peer reads only when it is told to. */
function slow() {
  const written: number[] = [];
  let aborted: Error | undefined;
  let gate = Promise.withResolvers<void>();
  const stream: Duplex = {
    remotePeer: "peer",
    write: async (bytes) => {
      written.push(bytes[0] as number);
      await gate.promise;
      if (aborted) throw aborted;
    },
    close: () => Promise.resolve(),
    abort: (reason) => {
      aborted = reason;
      gate.resolve();
    },
    async *[Symbol.asyncIterator]() {},
  };
  return {
    stream,
    written,
    aborted: () => aborted,
    read: () => {
      gate.resolve();
      gate = Promise.withResolvers();
      gate.resolve();
    },
  };
}

const frame = (first: number, length = 1) => {
  const bytes = new Uint8Array(length);
  bytes[0] = first;
  return bytes;
};
const BOUNDS = { bytes: 10_000, frames: 50, stall: 10_000 };

Deno.test("frames go out in order, one after the other", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, BOUNDS);
  const all = [1, 2, 3].map((i) => writer.write(frame(i)));
  await Promise.resolve();
  assertEquals(peer.written, [1]);
  peer.read();
  await Promise.all(all);
  await writer.flushed();
  assertEquals(peer.written, [1, 2, 3]);
});

Deno.test("what nobody waits for any more is not sent", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, BOUNDS);
  const first = writer.write(frame(1));
  const gone = new AbortController();
  const second = writer.write(frame(2), gone.signal);
  const third = writer.write(frame(3));
  gone.abort(new Error("gave up"));
  peer.read();
  await assertRejects(second, { message: "gave up" });
  await Promise.all([first, third]);
  assertEquals(peer.written, [1, 3]);
});

Deno.test("a peer that does not read holds no more than the bound of our memory", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, BOUNDS);
  const first = writer.write(frame(1));
  const second = writer.write(frame(2, 6_000));
  await assertRejects(writer.write(frame(3, 6_000)), { code: "RPC_BUSY" });
  // Short ones still find a place: they say why the long ones did not.
  const short = writer.write(frame(4));
  peer.read();
  await Promise.all([first, second, short]);
  assertEquals(peer.written, [1, 2, 4]);
});

Deno.test("a peer that lets many frames wait loses the stream", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, BOUNDS);
  const all = Array.from({ length: 60 }, (_, i) => writer.write(frame(i)));
  const results = await Promise.allSettled(all);
  assert(results.every(({ status }) => status === "rejected"));
  assert(peer.aborted() !== undefined);
});

Deno.test("a peer that takes nothing for long loses the stream", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, { ...BOUNDS, stall: 20 });
  await assertRejects(writer.write(frame(1)));
  assert(peer.aborted() !== undefined);
  await assertRejects(writer.write(frame(2)));
  await writer.flushed();
});
