import {
  type Bytes,
  concat,
  DecodeError,
  generateIdentity,
  type Identity,
  MetricsRegistry,
  systemClock,
} from "../../mod.ts";
import { SignatureAuthorizer } from "../../src/auth/mod.ts";
import { Rpc, type RpcLimits } from "../../src/rpc/mod.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";
import { eventually } from "../eventually.ts";
import { MemoryNetwork } from "../network/memory_transport.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (body: Uint8Array) => new TextDecoder().decode(body);

class Peer {
  readonly metrics = new MetricsRegistry();
  readonly identity: Identity = generateIdentity();
  readonly rpc: Rpc;

  constructor(network: MemoryNetwork, limits: Partial<RpcLimits> = {}) {
    this.rpc = new Rpc({
      transport: network.transport(this.id),
      authorizer: new SignatureAuthorizer(this.identity, systemClock),
      metrics: this.metrics,
      limits,
    });
  }

  get id(): string {
    return this.identity.peerId;
  }
}

async function withPeers(
  test: (
    peers: { network: MemoryNetwork; client: Peer; server: Peer },
  ) => Promise<void>,
  limits: Partial<RpcLimits> = {},
): Promise<void> {
  const network = new MemoryNetwork();
  const client = new Peer(network);
  const server = new Peer(network, limits);
  try {
    await test({ network, client, server });
  } finally {
    await Promise.all([client.rpc.stop(), server.rpc.stop()]);
  }
}

Deno.test("a call is answered, and says who asked", () =>
  withPeers(async ({ client, server }) => {
    server.rpc.register(
      "echo",
      (body, { peerId }) => Promise.resolve(concat(bytes(`${peerId} `), body)),
    );
    const answer = await client.rpc.call(server.id, "echo", bytes("hi"));
    assertEquals(textOf(answer), `${client.id} hi`);
    assertThrows(
      () => server.rpc.register("echo", (body) => Promise.resolve(body)),
      { code: "RPC_METHOD_TAKEN" },
    );
  }));

Deno.test("a thousand calls share one stream, each with its own answer", () =>
  withPeers(async ({ network, client, server }) => {
    let inside = 0, most = 0;
    server.rpc.register("echo", async (body) => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, body[0] ?? 0));
      inside--;
      return body;
    });
    const answers = await Promise.all(
      Array.from(
        { length: 1000 },
        (_, i) =>
          client.rpc.call(
            server.id,
            "echo",
            Uint8Array.of(i % 7, i >> 8, i & 255),
            {
              timeout: 20_000,
            },
          ),
      ),
    );
    assert(
      answers.every((body, i) => ((body[1] ?? 0) << 8 | (body[2] ?? 0)) === i),
    );
    assertEquals(network.streams.length, 1);
    assert(most > 1 && most <= 256, `${most} at once`);
  }));

Deno.test("a stream's reader sets the pace, and other calls go on meanwhile", () =>
  withPeers(async ({ client, server }) => {
    let produced = 0;
    server.rpc.registerStream("count", async function* (body) {
      for (; produced < (body[0] ?? 0) * 100; produced++) {
        yield Uint8Array.of(produced >> 8, produced & 255);
      }
    });
    server.rpc.register("echo", (body) => Promise.resolve(body));
    let received = 0;
    for await (
      const item of client.rpc.stream(server.id, "count", Uint8Array.of(50), {
        timeout: 30_000,
      })
    ) {
      assertEquals((item[0] ?? 0) << 8 | (item[1] ?? 0), received++);
      if (received % 1000 === 1) {
        await client.rpc.call(server.id, "echo", bytes("x"));
        assert(produced - received <= 20, `${produced - received} ahead`);
      }
    }
    assertEquals(received, 5000);
  }));

Deno.test("leaving a stream's loop, or cancelling a call, ends the handler", () =>
  withPeers(async ({ client, server }) => {
    const ended: string[] = [];
    server.rpc.registerStream("forever", async function* (_body, { signal }) {
      try {
        for (let i = 0; !signal.aborted; i++) yield Uint8Array.of(i & 255);
      } finally {
        ended.push("stream");
      }
    });
    server.rpc.register("wait", async (_body, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.push("call");
      return new Uint8Array();
    });
    for await (const _ of client.rpc.stream(server.id, "forever", bytes(""))) {
      break;
    }
    const cancel = new AbortController();
    const call = client.rpc.call(server.id, "wait", bytes(""), {
      signal: cancel.signal,
    });
    setTimeout(() => cancel.abort(), 20);
    await assertRejects(call, { code: "RPC_CANCELLED" });
    await eventually(() => ended.length === 2, () => ended);
  }));

Deno.test("a call that is not answered in time fails, and its handler is told", () =>
  withPeers(async ({ client, server }) => {
    let told = false;
    server.rpc.register("wait", async (_body, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      told = true;
      return new Uint8Array();
    });
    await assertRejects(
      client.rpc.call(server.id, "wait", bytes(""), { timeout: 30 }),
      { code: "RPC_TIMEOUT" },
    );
    await eventually(() => told, () => "never told");
  }));

Deno.test("failures arrive with their kind, and without the server's insides", () =>
  withPeers(async ({ client, server }) => {
    server.rpc.register("fail", () => Promise.reject(new Error("secret path")));
    server.rpc.register(
      "refuse",
      () => Promise.reject(new DecodeError("a key has 20 bytes")),
    );
    server.rpc.register("huge", () => Promise.resolve(new Uint8Array(5 << 20)));
    server.rpc.registerStream("items", async function* () {
      yield bytes("one");
      await Promise.resolve();
      throw new DecodeError("no more");
    });
    const call = (method: string, body: Bytes = bytes("")) =>
      client.rpc.call(server.id, method, body);
    await assertRejects(call("none"), { code: "RPC_UNKNOWN_METHOD" });
    await assertRejects(call("items"), { code: "RPC_UNKNOWN_METHOD" });
    await assertRejects(call("fail"), (error: Error) => {
      assert(!error.message.includes("secret"));
      assertEquals((error as { code?: string }).code, "RPC_REMOTE_FAILED");
      return true;
    });
    await assertRejects(call("refuse"), {
      code: "RPC_BAD_REQUEST",
      message: /20 bytes/,
    });
    await assertRejects(call("huge"), { code: "RPC_TOO_LARGE" });
    await assertRejects(call("fail", new Uint8Array(5 << 20)), {
      code: "RPC_TOO_LARGE",
    });
    const items: string[] = [];
    await assertRejects(async () => {
      const stream = client.rpc.stream(server.id, "items", bytes(""));
      for await (const item of stream) items.push(textOf(item));
    }, { code: "RPC_BAD_REQUEST" });
    assertEquals(items, ["one"]);
  }));

Deno.test("calls fail when the stream is lost, and the next one opens another", () =>
  withPeers(async ({ network, client, server }) => {
    server.rpc.register(
      "wait",
      (_body, { signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        ),
    );
    server.rpc.register("echo", (body) => Promise.resolve(body));
    await client.rpc.call(server.id, "echo", bytes("x"));
    const call = client.rpc.call(server.id, "wait", bytes(""));
    setTimeout(() => network.streams[0]?.near.abort(new Error("cut")), 20);
    await assertRejects(call, { code: "RPC_UNREACHABLE" });
    await client.rpc.call(server.id, "echo", bytes("x"));
    assertEquals(network.streams.length, 2);
    network.dead.add(server.id);
    network.streams[1]?.far.abort(new Error("cut"));
    await eventually(
      () =>
        client.rpc.call(server.id, "echo", bytes("")).then(
          () => false,
          (error) => error.code === "RPC_UNREACHABLE",
        ),
      () => "still answered",
    );
  }));

Deno.test("more calls than allowed are refused as busy", () =>
  withPeers(async ({ client, server }) => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => release = resolve);
    server.rpc.register("wait", async (body) => {
      await gate;
      return body;
    });
    const calls = Array.from(
      { length: 6 },
      () =>
        client.rpc.call(server.id, "wait", bytes("x")).then(
          () => "answered",
          (error) => error.code,
        ),
    );
    setTimeout(release, 100);
    const results = await Promise.all(calls);
    assertEquals(results.toSorted(), [
      "RPC_BUSY",
      "RPC_BUSY",
      "answered",
      "answered",
      "answered",
      "answered",
    ]);
  }, { servedInFlight: 4 }));

Deno.test("bytes that are no frames end their stream only, and are counted", () =>
  withPeers(async ({ network, client, server }) => {
    server.rpc.register("echo", (body) => Promise.resolve(body));
    const stranger = network.transport("stranger");
    const good = encodeFrame(FRAME.request, 1, { method: "echo" });
    const hostile = [
      Uint8Array.of(0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0, 0, 0, 0),
      Uint8Array.of(0, 0, 0, 9, 99, 0, 0, 0, 1, 0, 0, 0, 0),
      Uint8Array.of(0, 0, 0, 9, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0),
      encodeFrame(FRAME.result, 1),
      encodeFrame(FRAME.credit, 1, { body: Uint8Array.of(1) }),
      concat(good, good),
      crypto.getRandomValues(new Uint8Array(1000)),
    ];
    let violations = 0;
    for (const attack of hostile) {
      const stream = await stranger.open(server.id);
      await stream.write(attack)?.catch(() => {});
      await assertRejects(async () => {
        for await (const _ of stream) { /* until it is reset */ }
      });
      violations++;
      assertEquals(
        server.metrics.get("meshnode_rpc_violations_total", { side: "server" }),
        violations,
      );
      assertEquals(
        textOf(await client.rpc.call(server.id, "echo", bytes("ok"))),
        "ok",
      );
    }
  }));

Deno.test("a peer may hold only so many streams open", () =>
  withPeers(async ({ network, server }) => {
    const stranger = network.transport("stranger");
    const open = await Promise.all(
      Array.from({ length: 4 }, () => stranger.open(server.id)),
    );
    const fifth = await stranger.open(server.id);
    await assertRejects(async () => {
      for await (const _ of fifth) { /* until it is reset */ }
    });
    open.forEach((stream) => stream.abort(new Error("enough")));
    await eventually(
      async () => {
        const again = await stranger.open(server.id);
        const refused = await Promise.resolve(again.write(new Uint8Array(1)))
          .then(() => false, () => true);
        again.abort(new Error("enough"));
        return !refused;
      },
      () => "still refused",
    );
  }));

Deno.test("stopping ends every call on both sides", () =>
  withPeers(async ({ client, server }) => {
    server.rpc.register("wait", async (_body, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return new Uint8Array();
    });
    const call = client.rpc.call(server.id, "wait", bytes(""), {
      timeout: Infinity,
    });
    setTimeout(() => server.rpc.stop(), 20);
    await assertRejects(call, { code: "RPC_UNREACHABLE" });
    await client.rpc.stop();
    await assertRejects(client.rpc.call(server.id, "wait", bytes("")), {
      code: "RPC_CANCELLED",
    });
  }));
