import {
  concat,
  type Duplex,
  generateIdentity,
  systemClock,
} from "../../mod.ts";
import { SignatureAuthorizer } from "../../src/auth/mod.ts";
import { Rpc } from "../../src/rpc/mod.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { readFrames } from "./read_frames.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { MemoryNetwork } from "../network/memory_transport.ts";

type Answer = readonly [
  kind: typeof FRAME["result" | "item" | "end"],
  sequence: number,
];

/** Reads a stream from a server that signs well and sends what it likes. */
async function readFrom(answers: readonly Answer[]): Promise<number[]> {
  const network = new MemoryNetwork();
  const [caller, server] = [generateIdentity(), generateIdentity()];
  const signer = new SignatureAuthorizer(server, systemClock);
  const serve = async (stream: Duplex) => {
    for await (const frame of readFrames(stream)) {
      if (frame.type !== FRAME.open) continue;
      const frames = answers.map(([kind, sequence]) => {
        const body = Uint8Array.of(sequence);
        const auth = signer.signResponse({
          request: frame.auth,
          peer: caller.peerId,
          kind,
          sequence,
          body,
        });
        return encodeFrame(kind, frame.call, { auth, body });
      });
      await stream.write(concat(...frames));
    }
  };
  // The caller resets the stream when it is done.
  network.transport(server.peerId).accept((stream) => {
    serve(stream).catch(() => {});
  });
  const rpc = new Rpc({
    transport: network.transport(caller.peerId),
    authorizer: new SignatureAuthorizer(caller, systemClock),
  });
  try {
    const items: number[] = [];
    const stream = rpc.stream(server.peerId, "m", new Uint8Array(), {
      timeout: 300,
    });
    for await (const item of stream) items.push(item[0] as number);
    return items;
  } finally {
    await rpc.stop();
  }
}

const { item, end } = FRAME;

Deno.test("items in order with their end are read", async () => {
  assertEquals(await readFrom([[item, 0], [item, 1], [end, 2]]), [0, 1]);
});

Deno.test("reordered, repeated and left out items are noticed", async () => {
  for (
    const answers of [
      [[item, 1], [item, 0], [end, 2]],
      [[item, 0], [item, 0], [end, 2]],
      [[item, 0], [item, 2], [end, 3]],
      [[item, 0], [end, 2]],
    ] as const
  ) {
    await assertRejects(readFrom(answers), { code: "RPC_UNAUTHORIZED" });
  }
});

Deno.test("a stream without its end is never taken for complete", async () => {
  await assertRejects(readFrom([[item, 0], [item, 1]]), {
    code: "RPC_TIMEOUT",
  });
});

Deno.test("items sent without credit end the stream", async () => {
  const flood = Array.from({ length: 100 }, (_, i) => [item, i] as const);
  assertEquals(
    await readFrom([...flood, [end, 100]]).then(
      () => "read",
      (error) => error.code,
    ),
    "RPC_UNREACHABLE",
  );
});
