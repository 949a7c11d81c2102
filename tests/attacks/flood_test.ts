import { INBOUND_QUOTAS, type MeshNode, type NodeOptions } from "../../mod.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import type { HostileStream } from "./hostile.ts";
import { libp2p, type Scene, underAttack } from "./scene.ts";
import { knock } from "./stranger.ts";

/** This machine is limited like any other address. */
const STRICT: NodeOptions = {
  limits: {
    connections: {
      ...INBOUND_QUOTAS,
      loopback: INBOUND_QUOTAS.address,
    },
  },
};

const addressOf = (node: MeshNode) => node.addresses()[0] ?? "";

/** Inbound connections that the target refused, by reason. */
const refused = ({ metrics }: Scene, ...reasons: readonly string[]) =>
  reasons.reduce(
    (sum, reason) =>
      sum + metrics.get("meshnode_network_refused_total", {
        direction: "inbound",
        reason,
      }),
    0,
  );

/** Does something so many times, some of them at once. */
async function inParallel(
  count: number,
  atOnce: number,
  act: () => Promise<void>,
): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await act();
  }));
}

Deno.test(
  "attack: ten thousand fresh peer ids from one address get few handshakes and no place in memory",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { target, metrics, work } = scene;
      const address = addressOf(target);
      const started = Date.now();
      const outcome = { shaken: 0, refused: 0 };
      await inParallel(10_000, 32, async () => {
        outcome[await knock(address)]++;
      });
      const seconds = (Date.now() - started) / 1_000;
      const { attempts } = INBOUND_QUOTAS.address;
      const allowed = attempts.burst + attempts.perSecond * seconds + 1;
      assert(outcome.shaken <= allowed, `${outcome.shaken} of ${allowed}`);
      assert(
        refused(scene, "too-many-attempts", "too-many-handshakes") > 9_000,
        JSON.stringify(outcome),
      );
      assert(metrics.get("meshnode_stake_questions_total") <= 60);
      assert(metrics.get("meshnode_network_origins") <= 2);
      assert(metrics.get("meshnode_limiter_accounts", { of: "peers" }) <= 2);
      assertEquals(target.status().connections, 1);
      await work();
    }, STRICT),
);

Deno.test(
  "attack: a thousand handshakes of strangers ask the chain a few questions",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { target, metrics, work } = scene;
      const address = addressOf(target);
      await inParallel(1_000, 16, async () => {
        await knock(address);
      });
      const turnedAway = () => refused(scene, "not-staked", "stake-unknown");
      await eventually(() => turnedAway() > 500, turnedAway);
      assert(
        metrics.get("meshnode_stake_questions_total") <= 60,
        "the flood asks the chain",
      );
      assert(metrics.get("meshnode_limiter_accounts", { of: "peers" }) <= 2);
      await work();
    }),
);

Deno.test(
  "attack: connections that never speak do not keep others from speaking",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { target, work, chain, friend } = scene;
      const [, port] = /tcp\/(\d+)/.exec(addressOf(target)) ?? [];
      const silent: Deno.TcpConn[] = [];
      try {
        for (let i = 0; i < 200; i++) {
          const to = { hostname: "127.0.0.1", port: Number(port) };
          const each = await Deno.connect(to).catch(() => undefined);
          if (each !== undefined) silent.push(each);
        }
        await eventually(
          () => refused(scene, "too-many-handshakes") > 0,
          () => "all are taken in",
        );
        const { handshakes } = INBOUND_QUOTAS.address;
        assert(
          refused(scene, "too-many-handshakes", "too-many-attempts") >=
            200 - handshakes - 1,
        );
        await work();
        // They are cut off, and their places are free again.
        const { staked, attack } = scene;
        await eventually(
          async () =>
            await attack(staked).then((peer) => peer.connected, () => false),
          () => "nobody gets in any more",
          30_000,
        );
        assert(chain !== undefined && friend.members().length > 0);
      } finally {
        for (const each of silent) each.close();
      }
    }, STRICT),
);

Deno.test(
  "attack: a staked peer at full speed is refused, banned and cut off",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, metrics, work } = scene;
      const hostile = await attack(staked);
      const stream = await hostile.open();
      const reading = (async () => {
        let answers = 0;
        while (await stream.frame() !== undefined) answers++;
        return answers;
      })();
      const request = hostile.request("dht.ping");
      let sent = 0;
      while (hostile.connected && stream.open && sent < 1_000_000) {
        const frames = Array.from(
          { length: 100 },
          () => hostile.frame(request),
        );
        sent += frames.length;
        await Promise.all(frames.map((each) => stream.write(each)))
          .catch(() => {});
      }
      await eventually(() => !hostile.connected, () => `connected: ${sent}`);
      await reading;
      const level = (level: string) =>
        metrics.get("meshnode_limiter_escalations_total", { level });
      assertEquals(level("banned"), 1);
      assert(
        metrics.get("meshnode_rpc_refused_total", { code: "RPC_BUSY" }) > 0,
      );
      // Few of them were even looked at.
      const checked = metrics.get("meshnode_rpc_unauthorized_total", {
        side: "server",
        reason: "replayed",
      });
      assert(checked < 1_000, `${checked} of ${sent} were checked`);
      const again = await attack(staked).catch(() => undefined);
      if (again !== undefined) {
        await eventually(() => !again.connected, () => "it is let in again");
      }
      assertEquals(refused(scene, "banned"), 1);
      await work();
    }),
);

Deno.test(
  "attack: streams that say nothing, or end in the middle of a word, hold few places",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, metrics, work } = scene;
      const hostile = await attack(staked);
      const open: HostileStream[] = [];
      for (let i = 0; i < 100; i++) {
        const stream = await hostile.open().catch(() => undefined);
        if (stream === undefined) continue;
        await stream.write(Uint8Array.of(0, 0)).catch(() => {});
        open.push(stream);
      }
      await eventually(
        () => open.filter((stream) => stream.open).length <= 4,
        () => open.filter((stream) => stream.open).length,
      );
      const turnedAway = () =>
        metrics.get("meshnode_rpc_streams_refused_total");
      await eventually(() => turnedAway() > 0, turnedAway);
      await work();
      // One that is drop-fed a whole request is answered in the end.
      for (const stream of open) stream.abort();
      const slow = await attack(staked);
      const stream = await eventuallyOpen(slow);
      for (const byte of slow.frame(slow.request("dht.ping"))) {
        await stream.write(Uint8Array.of(byte));
      }
      assertEquals(await stream.answer(), "ok");
    }),
);

async function eventuallyOpen(hostile: Awaited<ReturnType<Scene["attack"]>>) {
  for (;;) {
    const stream = await hostile.open();
    // A stream that the quota refuses is reset at once.
    await stream.write(Uint8Array.of()).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 600));
    if (stream.open) return stream;
  }
}

Deno.test(
  "attack: frames that are too long, never end or make no sense end their stream",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, metrics, work } = scene;
      const hostile = await attack(staked);
      const violations = () =>
        metrics.get("meshnode_rpc_violations_total", { side: "server" });
      const frame = (...body: readonly number[]) =>
        Uint8Array.of(0, 0, 0, body.length, ...body);
      const wrong = [
        Uint8Array.of(255, 255, 255, 255),
        Uint8Array.of(0, 65, 255, 255),
        Uint8Array.of(0, 0, 0, 0),
        Uint8Array.of(0, 0, 0, 8),
        // An unknown type, and one that only a server sends.
        frame(9, 0, 0, 0, 1, 0, 0, 0, 0),
        frame(FRAME.result, 0, 0, 0, 1, 0, 0, 0, 0),
        // Parts that do not fit in, and a method that is no text.
        frame(FRAME.request, 0, 0, 0, 1, 255, 255, 255, 255),
        frame(FRAME.request, 0, 0, 0, 1, 0, 2, 0, 0, 0xc3, 0x28),
        frame(FRAME.credit, 0, 0, 0, 1, 0, 0, 0, 0),
      ];
      for (const [i, each] of wrong.entries()) {
        const stream = await hostile.open();
        await stream.write(each);
        assertEquals(await stream.answer(), "closed", String(i));
        assertEquals(violations(), i + 1);
      }
      // A number that is used twice while the first call is under way.
      const { target } = scene;
      const gate = Promise.withResolvers<void>();
      target.rpc.register("slow", async (body) => {
        await gate.promise;
        return body;
      });
      const twice = await hostile.open();
      const first = hostile.request("slow");
      const second = hostile.request("slow");
      await twice.write(encodeFrame(FRAME.request, 7, first));
      await twice.write(encodeFrame(FRAME.request, 7, second));
      assertEquals(await twice.answer(), "closed");
      gate.resolve();
      assertEquals(violations(), wrong.length + 1);
      // Endless ones: what was sent so far is all that is held.
      const endless = [];
      for (let i = 0; i < 4; i++) {
        const stream = await hostile.open();
        await stream.write(Uint8Array.of(0, 64, 0, 0));
        for (let sent = 0; sent < 32; sent++) {
          await stream.write(new Uint8Array(32 * 1024));
        }
        endless.push(stream);
      }
      await work();
      for (const stream of endless) stream.abort();
      assertEquals(await hostile.send(hostile.request("dht.ping")), "ok");
    }),
);

Deno.test(
  "attack: a peer that asks and does not read loses its stream, not the node its memory",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, target, metrics, work } = scene;
      const large = new Uint8Array(1024 * 1024);
      target.rpc.register("large", () => Promise.resolve(large));
      const hostile = await attack(staked);
      const stream = await hostile.open();
      const frames = Array.from(
        { length: 400 },
        () => hostile.frame(hostile.request("large")),
      );
      for (const each of frames) await stream.write(each).catch(() => {});
      const busy = () =>
        metrics.get("meshnode_rpc_refused_total", { code: "RPC_BUSY" });
      // More than a few answers do not wait for it.
      await eventually(() => busy() > 0, () => "all its calls are answered");
      await work();
      stream.abort();
      await work();
    }),
);
