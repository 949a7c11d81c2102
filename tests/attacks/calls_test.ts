import { concat, generateIdentity, SignatureAuthorizer } from "../../mod.ts";
import { ManualClock } from "../../src/core/mod.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { Hostile } from "./hostile.ts";
import { libp2p, type Scene, underAttack } from "./scene.ts";

const PING = "dht.ping";
const bytes = (text: string) => new TextEncoder().encode(text);

/** How many requests the target refused for a reason. */
const unauthorized = ({ metrics }: Scene, reason: string) =>
  metrics.get("meshnode_rpc_unauthorized_total", { side: "server", reason });

Deno.test(
  "attack: a peer without stake gets no connection, no protocol, no answer",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, metrics, target, work } = scene;
      for (let i = 0; i < 10; i++) {
        const hostile = await attack().catch(() => undefined);
        // Its side of the handshake may end before it is refused.
        if (hostile === undefined) continue;
        assertEquals(await hostile.send(hostile.request(PING)), "closed");
        await eventually(() => !hostile.connected, () => "still connected");
      }
      // Many strangers of one address are refused without asking the chain.
      const refused = () =>
        ["not-staked", "stake-unknown"].map((reason) =>
          metrics.get("meshnode_network_refused_total", {
            direction: "inbound",
            reason,
          })
        );
      const sum = () => refused().reduce((a, b) => a + b);
      await eventually(() => sum() >= 10, refused);
      assertEquals(sum(), 10);
      assert(refused().every((count) => count > 0), String(refused()));
      assertEquals(target.status().connections, 1);
      await work();
    }),
);

Deno.test(
  "attack: a signed request that another peer relays is not the other's",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, target } = scene;
      // A staked peer without stake of its own would not even connect: the
      // strongest relay is one that may.
      const hostile = await attack(staked);
      const victim = new SignatureAuthorizer(
        generateIdentity(),
        new ManualClock(Date.now()),
      );
      const body = new Uint8Array();
      const auth = victim.signRequest({
        method: PING,
        peer: target.peerId,
        body,
      });
      const answer = await hostile.send({ method: PING, auth, body });
      assert(answer.startsWith("RPC_UNAUTHORIZED foreign-key"), answer);
      // Its own key in the other's place does not help.
      const own = hostile.request(PING);
      const mixed = concat(auth.subarray(0, 24), own.auth.subarray(24));
      const second = await hostile.send({ ...own, auth: mixed });
      assert(second.startsWith("RPC_UNAUTHORIZED bad-signature"), second);
      assertEquals(unauthorized(scene, "foreign-key"), 1);
      assertEquals(unauthorized(scene, "bad-signature"), 1);
    }),
);

Deno.test(
  "attack: a request is answered once, by the node that it was made for",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, friend } = scene;
      const hostile = await attack(staked);
      const request = hostile.request(PING);
      assertEquals(await hostile.send(request), "ok");
      for (let i = 0; i < 5; i++) {
        const answer = await hostile.send(request);
        assert(answer.startsWith("RPC_UNAUTHORIZED replayed"), answer);
      }
      const stream = await hostile.open();
      await stream.write(
        concat(hostile.frame(request), hostile.frame(request)),
      );
      for (let i = 0; i < 2; i++) {
        assert((await stream.answer()).includes("replayed"));
      }
      assertEquals(unauthorized(scene, "replayed"), 7);
      // The same bytes at another node, over a connection of the same peer.
      const other = await Hostile.connect(staked, friend);
      try {
        const answer = await other.send(request);
        assert(answer.startsWith("RPC_UNAUTHORIZED bad-signature"), answer);
      } finally {
        await other.stop();
      }
    }),
);

Deno.test(
  "attack: nothing of a request can be altered",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked } = scene;
      const hostile = await attack(staked);
      const request = hostile.request(PING, bytes("body"));
      const flip = (at: number) => {
        const auth = request.auth.slice();
        auth[at] = (auth[at] as number) ^ 1;
        return { ...request, auth };
      };
      const spoilt = {
        method: { ...request, method: "dht.find" },
        body: { ...request, body: bytes("bodz") },
        "longer body": { ...request, body: bytes("body ") },
        time: flip(3),
        nonce: flip(20),
        key: flip(50),
        signature: flip(request.auth.length - 1),
        "cut authentication": {
          ...request,
          auth: request.auth.subarray(0, 40),
        },
        "no authentication": { ...request, auth: new Uint8Array() },
        "longer authentication": {
          ...request,
          auth: concat(request.auth, Uint8Array.of(0)),
        },
      };
      for (const [what, each] of Object.entries(spoilt)) {
        const answer = await hostile.send(each);
        assert(answer.startsWith("RPC_UNAUTHORIZED"), `${what}: ${answer}`);
      }
      // Times that are signed, and wrong.
      for (const offset of [-61_000, 62_000, 1e12]) {
        const clock = new ManualClock(Date.now() + offset);
        const auth = new SignatureAuthorizer(staked, clock).signRequest({
          method: PING,
          peer: hostile.target,
          body: new Uint8Array(),
        });
        const answer = await hostile.send({
          method: PING,
          auth,
          body: new Uint8Array(),
        });
        assert(answer.startsWith("RPC_UNAUTHORIZED outside-window"), answer);
      }
      assertEquals(unauthorized(scene, "outside-window"), 3);
      const refused = scene.metrics.get("meshnode_rpc_refused_total", {
        code: "RPC_UNAUTHORIZED",
      });
      assertEquals(refused, Object.keys(spoilt).length + 3);
    }),
);

Deno.test(
  "attack: methods that are not served cost little, and cannot be told apart from those that are",
  libp2p,
  () =>
    underAttack(async ({ attack, staked, metrics }) => {
      const hostile = await attack(staked);
      const stream = await hostile.open();
      const names = ["", "constructor", "__proto__", "x".repeat(128)];
      for (const method of names) {
        await stream.write(hostile.frame(hostile.request(method)));
        const answer = await stream.answer();
        assert(answer.startsWith("RPC_UNKNOWN_METHOD"), answer);
      }
      // Unsigned, it is not even said whether they are served.
      for (const method of ["nothing", PING]) {
        await stream.write(
          encodeFrame(FRAME.request, 1_000, { method, auth: bytes("x") }),
        );
        const answer = await stream.answer();
        assert(answer.startsWith("RPC_UNAUTHORIZED"), answer);
      }
      const labels = { code: "RPC_UNKNOWN_METHOD" };
      assertEquals(
        metrics.get("meshnode_rpc_refused_total", labels),
        names.length,
      );
    }),
);
