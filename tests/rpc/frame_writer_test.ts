import type { Duplex } from "../../mod.ts";
import { FrameWriter } from "../../src/rpc/frame_writer.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

/** A stream whose peer reads only when it is told to. */
function slow() {
  const written: number[] = [];
  let writes = 0;
  let aborted: Error | undefined;
  let gate = Promise.withResolvers<void>();
  const stream: Duplex = {
    remotePeer: "peer",
    write: async (bytes) => {
      writes++;
      // Frames are filled with zeros after their first byte.
      written.push(...bytes.filter((byte) => byte > 0));
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
    writes: () => writes,
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

Deno.test("short frames that wait go out together, long ones by themselves", async () => {
  const peer = slow();
  const bounds = { ...BOUNDS, bytes: 100_000 };
  const writer = new FrameWriter(peer.stream, bounds);
  const lengths = [1, 1, 5_000, 1, 12_000, 20_000, 1];
  const all = lengths.map((length, i) => writer.write(frame(i + 1, length)));
  peer.read();
  await Promise.all(all);
  assertEquals(peer.written, [1, 2, 3, 4, 5, 6, 7]);
  assertEquals(peer.writes(), 5);
});

Deno.test("what is given up between others does not keep them from going out", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, BOUNDS);
  const gone = AbortSignal.abort(new Error("gave up"));
  const first = writer.write(frame(1));
  const rejected = assertRejects(async () => {
    await writer.write(frame(2), gone);
  }, { message: "gave up" });
  peer.read();
  await Promise.all([first, rejected]);
  await writer.flushed();
  await writer.write(frame(3));
  assertEquals(peer.written, [1, 3]);
});

Deno.test("what nobody waits for any more is not sent", async () => {
  const peer = slow();
  const writer = new FrameWriter(peer.stream, BOUNDS);
  const first = writer.write(frame(1));
  const gone = new AbortController();
  const second = Promise.resolve(writer.write(frame(2), gone.signal));
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
  await assertRejects(async () => {
    await writer.write(frame(3, 6_000));
  }, { code: "RPC_BUSY" });
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
  await assertRejects(async () => await writer.write(frame(1)));
  assert(peer.aborted() !== undefined);
  await assertRejects(async () => await writer.write(frame(2)));
  await writer.flushed();
});

Deno.test("what the stream takes at once is waited for by nobody, and what follows at that moment goes out together", async () => {
  const writes: number[][] = [];
  const stream: Duplex = {
    ...slow().stream,
    write: (bytes) => {
      writes.push([...bytes]);
      return undefined;
    },
  };
  const writer = new FrameWriter(stream, BOUNDS);
  assertEquals(writer.write(frame(1)), undefined);
  const rest = [2, 3].map((i) => writer.write(frame(i)));
  assert(rest.every((each) => each !== undefined));
  await Promise.all(rest);
  assertEquals(writes, [[1], [2, 3]]);
  await writer.flushed();
  assertEquals(writer.write(frame(4)), undefined);
  await writer.flushed();
  assertEquals(writes, [[1], [2, 3], [4]]);
});
