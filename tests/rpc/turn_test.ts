import { setImmediate } from "node:timers";
import { generateIdentity, systemClock } from "../../mod.ts";
import { SignatureAuthorizer } from "../../src/auth/mod.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { readFrames } from "./read_frames.ts";
import { Rpc } from "../../src/rpc/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { MemoryNetwork } from "../network/memory_transport.ts";

const CALLS = 2_000;

Deno.test("a peer that sends without a pause leaves all others their turns", async () => {
  const network = new MemoryNetwork();
  const [identity, caller] = [generateIdentity(), generateIdentity()];
  const server = new Rpc({
    transport: network.transport(identity.peerId),
    authorizer: new SignatureAuthorizer(identity, systemClock),
    // The stream is never told to wait.
    limits: { servedInFlight: CALLS },
  });
  let served = 0;
  server.register("work", (body) => {
    served++;
    return Promise.resolve(body);
  });
  const signer = new SignatureAuthorizer(caller, systemClock);
  const body = new Uint8Array();
  const frames = Array.from({ length: CALLS }, (_, call) => {
    const auth = signer.signRequest({
      ...{ method: "work", peer: identity.peerId, body },
    });
    return encodeFrame(FRAME.request, call, { method: "work", auth, body });
  });
  const stream = await network.transport(caller.peerId).open(identity.peerId);
  let answered = 0;
  const reading = (async () => {
    for await (const { type } of readFrames(stream)) {
      assertEquals(type, FRAME.result);
      if (++answered === CALLS) return;
    }
  })();
  const writing = (async () => {
    for (const each of frames) await stream.write(each);
  })();
  // What has to be done for others meanwhile.
  let turns = 0;
  while (served < CALLS) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turns++;
  }
  await Promise.all([reading, writing]);
  assert(turns > 4, `${turns} turns while ${CALLS} calls were served`);
  stream.abort(new Error("done"));
  await server.stop();
});
