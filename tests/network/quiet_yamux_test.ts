import type { MessageStream } from "@libp2p/interface";
import { quietYamux } from "../../src/network/quiet_yamux.ts";
import { assert, assertEquals } from "../assert.ts";

const WINDOW = 256 * 1024;
const [DATA, WINDOW_UPDATE] = [0, 1];
const [SYN, ACK] = [1, 2];

function frame(type: number, flag: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12 + (type === DATA ? length : 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(1, type);
  view.setUint16(2, flag);
  view.setUint32(4, 1);
  view.setUint32(8, length);
  return bytes;
}

/** A muxer over a connection on which frames are given and taken by hand. */
function setUp() {
  const log = Object.assign(() => {}, {
    trace: () => {},
    error: () => {},
    newScope: () => log,
  });
  const sent: { type: number; flag: number; length: number }[] = [];
  const connection = Object.assign(new EventTarget(), {
    direction: "inbound",
    status: "open",
    log,
    send: (data: { subarray(): Uint8Array }) => {
      const bytes = data.subarray();
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      sent.push({
        type: view.getUint8(1),
        flag: view.getUint16(2),
        length: view.getUint32(8),
      });
      return true;
    },
  });
  const muxer = quietYamux({ enableKeepAlive: false })().createStreamMuxer(
    connection as unknown as MessageStream,
  );
  const received: number[] = [];
  muxer.addEventListener("stream", ({ detail }) => {
    detail.addEventListener(
      "message",
      ({ data }) => received.push(data.byteLength),
    );
  });
  const give = (bytes: Uint8Array) =>
    connection.dispatchEvent(
      Object.assign(new Event("message"), { data: bytes }),
    );
  return { sent, give, received };
}

Deno.test("a stream is acknowledged at once, its window widened when half is used", async () => {
  const { sent, give, received } = setUp();
  give(frame(WINDOW_UPDATE, SYN, 0));
  await new Promise((resolve) => setTimeout(resolve));
  give(frame(DATA, 0, 1024));
  const [first, ...others] = sent;
  assertEquals(first?.type, WINDOW_UPDATE);
  assertEquals(first?.flag, ACK);
  assertEquals(others, []);
  for (let i = 1; i < 128; i++) {
    assertEquals(sent.length, 1, `after ${i} KiB`);
    give(frame(DATA, 0, 1024));
  }
  give(frame(DATA, 0, 1024));
  const widened = sent.at(-1);
  assertEquals(sent.length, 2);
  assertEquals(widened?.type, WINDOW_UPDATE);
  assert((widened?.length ?? 0) >= WINDOW / 2);
  assertEquals(received.reduce((sum, each) => sum + each), 129 * 1024);
});
