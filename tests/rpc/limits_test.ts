import {
  CALL_QUOTAS,
  CallLimiter,
  type CallQuotas,
  generateIdentity,
  ManualClock,
  MetricsRegistry,
  systemClock,
} from "../../mod.ts";
import { SignatureAuthorizer } from "../../src/auth/mod.ts";
import { Rpc } from "../../src/rpc/mod.ts";
import { busyBody, busyError } from "../../src/rpc/busy.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { readFrames } from "./read_frames.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { MemoryNetwork } from "../network/memory_transport.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const echo = (body: Uint8Array) => Promise.resolve(body);

/** A quota that does not come back while the clock stands still. */
const once = (burst: number) => ({ perSecond: 100, burst, bytesPerToken: 1e9 });

/** A server that counts every check and every signature of its authorizer. */
function setUp(quotas: Partial<CallQuotas>) {
  const network = new MemoryNetwork();
  const [identity, caller] = [generateIdentity(), generateIdentity()];
  const metrics = new MetricsRegistry();
  const limiter = new CallLimiter({
    quotas: { ...CALL_QUOTAS, ...quotas },
    clock: new ManualClock(1_700_000_000_000),
    metrics,
  });
  const work = { checked: 0, signed: 0 };
  class Counting extends SignatureAuthorizer {
    override checkRequest(
      ...args: Parameters<SignatureAuthorizer["checkRequest"]>
    ) {
      work.checked++;
      return super.checkRequest(...args);
    }
    override signResponse(
      ...args: Parameters<SignatureAuthorizer["signResponse"]>
    ) {
      work.signed++;
      return super.signResponse(...args);
    }
  }
  const server = new Rpc({
    transport: network.transport(identity.peerId),
    authorizer: new Counting(identity, systemClock),
    limiter,
    metrics,
  });
  server.register("echo", echo);
  server.register("dear", echo, { quota: once(2) });
  const client = (peer = caller) =>
    new Rpc({
      transport: network.transport(peer.peerId),
      authorizer: new SignatureAuthorizer(peer, systemClock),
    });
  return { network, identity, caller, metrics, limiter, work, server, client };
}

Deno.test("calls beyond the quota are refused with a pause, and cost no signature", async () => {
  const { identity, metrics, work, server, client } = setUp({ all: once(5) });
  const rpc = client();
  try {
    const calls = await Promise.allSettled(
      Array.from(
        { length: 50 },
        () => rpc.call(identity.peerId, "echo", bytes("hi")),
      ),
    );
    const refused = calls.filter((each) => each.status === "rejected");
    assertEquals(refused.length, 45);
    for (const { reason } of refused) {
      assertEquals(reason.code, "RPC_BUSY");
      assert(reason.retryAfter >= 2_000);
    }
    assertEquals(work, { checked: 5, signed: 5 });
    assertEquals(
      metrics.get("meshnode_limiter_refused_total", { reason: "limited" }),
      45,
    );
    // Told to wait, the caller does not even ask.
    await assertRejects(rpc.call(identity.peerId, "echo", bytes("hi")), {
      code: "RPC_BUSY",
      message: /pause/,
    });
    assertEquals(
      metrics.get("meshnode_limiter_refused_total", { reason: "limited" }),
      45,
    );
  } finally {
    await Promise.all([rpc.stop(), server.stop()]);
  }
});

Deno.test("a method's own quota leaves the others alone, and peers do not share it", async () => {
  const { identity, server, client } = setUp({});
  const [first, second] = [client(), client(generateIdentity())];
  const call = (rpc: Rpc, method: string) =>
    rpc.call(identity.peerId, method, bytes("hi"));
  try {
    await call(first, "dear");
    await call(first, "dear");
    await assertRejects(call(first, "dear"), { code: "RPC_BUSY" });
    assertEquals(await call(first, "echo"), bytes("hi"));
    assertEquals(await call(second, "dear"), bytes("hi"));
  } finally {
    await Promise.all([first.stop(), second.stop(), server.stop()]);
  }
});

Deno.test("a peer that goes on at full speed loses its stream and gets no other, an honest one is answered", async () => {
  const { network, identity, caller, limiter, server, client, metrics } = setUp(
    { all: { perSecond: 10, burst: 10, bytesPerToken: 1e9 } },
  );
  const banned: string[] = [];
  limiter.onBanned((peer) => banned.push(peer));
  const honest = client(generateIdentity());
  const flood = network.transport(caller.peerId);
  try {
    const stream = await flood.open(identity.peerId);
    const reading = (async () => {
      let busy = 0;
      for await (const frame of readFrames(stream)) {
        if (busyError(frame.body) !== undefined) busy++;
      }
      return busy;
    })().catch(() => "reset");
    const send = async () => {
      for (let call = 1; call < 5_000; call++) {
        await stream.write(
          encodeFrame(FRAME.request, call, {
            method: "echo",
            auth: bytes("x"),
          }),
        );
      }
    };
    await assertRejects(send());
    await reading;
    assertEquals(banned, [caller.peerId]);
    assertEquals(
      await honest.call(identity.peerId, "echo", bytes("hi")),
      bytes("hi"),
    );
    const again = await flood.open(identity.peerId);
    await assertRejects(async () => {
      for await (const _ of again) { /* it is reset */ }
    });
    assert(metrics.get("meshnode_rpc_streams_refused_total") > 0);
  } finally {
    await Promise.all([honest.stop(), server.stop()]);
  }
});

for (
  const [what, type, body] of [
    ["cancels", FRAME.cancel, new Uint8Array()],
    ["credits", FRAME.credit, Uint8Array.of(0, 0, 0, 1)],
  ] as const
) {
  Deno.test(`a flood of ${what} ends the stream as a violation, and no other`, async () => {
    const { network, identity, caller, metrics, server, client } = setUp({});
    const honest = client(generateIdentity());
    try {
      const stream = await network.transport(caller.peerId)
        .open(identity.peerId);
      const ended = (async () => {
        for await (const _ of readFrames(stream)) { /* nothing is answered */ }
      })();
      await assertRejects(Promise.all([
        ended,
        (async () => {
          for (let call = 1; call < 5_000; call++) {
            await stream.write(encodeFrame(type, call, { body }));
          }
        })(),
      ]));
      await ended.catch(() => {});
      assertEquals(
        metrics.get("meshnode_rpc_violations_total", { side: "server" }),
        1,
      );
      assertEquals(
        await honest.call(identity.peerId, "echo", bytes("hi")),
        bytes("hi"),
      );
    } finally {
      await Promise.all([honest.stop(), server.stop()]);
    }
  });
}

Deno.test("a caller that reads long streams and gives many calls up keeps its stream", async () => {
  const { identity, metrics, server, client } = setUp({});
  const rpc = client();
  server.registerStream("count", async function* (body) {
    for (let i = 0; i < 1_000; i++) yield await Promise.resolve(body);
  });
  try {
    let items = 0;
    for await (const _ of rpc.stream(identity.peerId, "count", bytes("x"))) {
      items++;
    }
    assertEquals(items, 1_000);
    for (let i = 0; i < 200; i++) {
      for await (const _ of rpc.stream(identity.peerId, "count", bytes("x"))) {
        break;
      }
    }
    assertEquals(
      await rpc.call(identity.peerId, "echo", bytes("hi")),
      bytes("hi"),
    );
    assertEquals(metrics.get("meshnode_rpc_violations_total"), 0);
  } finally {
    await Promise.all([rpc.stop(), server.stop()]);
  }
});

Deno.test("an unsigned refusal is all that needs no signature", async () => {
  const network = new MemoryNetwork();
  const [caller, server] = [generateIdentity(), generateIdentity()];
  let body = busyBody(1);
  network.transport(server.peerId).accept((stream) => {
    (async () => {
      for await (const frame of readFrames(stream)) {
        if (frame.type !== FRAME.request) continue;
        await stream.write(encodeFrame(FRAME.error, frame.call, { body }));
      }
    })().catch(() => {});
  });
  const rpc = new Rpc({
    transport: network.transport(caller.peerId),
    authorizer: new SignatureAuthorizer(caller, systemClock),
  });
  const call = (method: string) => rpc.call(server.peerId, method, bytes("hi"));
  try {
    await assertRejects(call("a"), { code: "RPC_BUSY", retryAfter: 1 });
    for (
      const text of ["RPC_UNKNOWN_METHOD no", "RPC_BUSY", "RPC_BUSY x", ""]
    ) {
      body = bytes(text);
      await assertRejects(call("b"), { code: "RPC_UNAUTHORIZED" });
    }
    // No peer makes us wait for ever.
    assertEquals(
      busyError(bytes("RPC_BUSY retry in 999999999 ms"))?.retryAfter,
      300_000,
    );
    assertEquals(
      busyError(bytes(`RPC_BUSY retry in ${"9".repeat(99)} ms`)),
      undefined,
    );
  } finally {
    await rpc.stop();
  }
});
