import { generateIdentity } from "../../mod.ts";
import { SignatureAuthorizer, systemClock } from "../../mod.ts";
import { busyBody } from "../../src/rpc/busy.ts";
import { encodeFrame, FRAME, type Frame } from "../../src/rpc/frames.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";
import type { Hostile, HostileStream } from "./hostile.ts";
import { libp2p, type Scene, underAttack } from "./scene.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Answers of the target's calls that were not accepted. */
const unaccepted = ({ metrics }: Scene) =>
  metrics.samples().filter(({ name, labels }) =>
    name === "meshnode_rpc_unauthorized_total" && labels["side"] === "client"
  ).reduce((sum, { value }) => sum + value, 0);

/** How a hostile server answers, by its number among the answers to a request. */
type Answer = readonly [
  type: Frame["type"],
  sequence: number,
  body: Uint8Array,
  request?: Frame,
];

/** The target calls the hostile peer, which answers as the test wants. */
async function called(
  scene: Scene,
  serve: (
    requests: AsyncGenerator<Frame>,
    answer: (request: Frame, ...answers: Answer[]) => Promise<void>,
  ) => Promise<void>,
  call: (peerId: string) => Promise<void>,
): Promise<void> {
  const hostile = await scene.attack(scene.staked);
  const { signer } = hostile;
  const server = async (stream: HostileStream) => {
    async function* requests() {
      for (;;) {
        const frame = await stream.frame();
        if (frame === undefined) return;
        if (frame.type === FRAME.request || frame.type === FRAME.open) {
          yield frame;
        }
      }
    }
    await serve(requests(), async (request, ...answers) => {
      for (const [kind, sequence, body, other = request] of answers) {
        const auth = signer.signResponse({
          ...{ request: other.auth, peer: scene.target.peerId },
          ...{ kind, sequence, body },
        });
        await stream.write(encodeFrame(kind, request.call, { auth, body }));
      }
    });
  };
  const ended: Promise<void>[] = [];
  await hostile.serve((stream) => {
    ended.push(server(stream).catch(() => {}));
  });
  try {
    await call(hostile.identity.peerId);
  } finally {
    await hostile.stop();
    await Promise.all(ended);
    await eventually(
      () => scene.target.status().connections === 1,
      () => "the node sees the peer still",
    );
  }
}

const { result, item, end, error } = FRAME;

Deno.test(
  "attack: answers to two calls cannot be exchanged",
  libp2p,
  () =>
    underAttack((scene) =>
      called(
        scene,
        async (requests, answer) => {
          const first = (await requests.next()).value as Frame;
          const second = (await requests.next()).value as Frame;
          // Each one well signed, for the other's request.
          await answer(first, [result, 0, bytes("b"), second]);
          await answer(second, [result, 0, bytes("a"), first]);
        },
        async (peerId) => {
          const { rpc } = scene.target;
          await Promise.all(
            ["a", "b"].map((text) =>
              assertRejects(rpc.call(peerId, "m", bytes(text)), {
                code: "RPC_UNAUTHORIZED",
              })
            ),
          );
          assertEquals(unaccepted(scene), 2);
        },
      )
    ),
);

Deno.test(
  "attack: an answer that another peer signed is not the called one's",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const other = new SignatureAuthorizer(generateIdentity(), systemClock);
      const hostile = await scene.attack(scene.staked);
      await hostile.serve(async (stream) => {
        for (let i = 0; i < 2;) {
          const request = await stream.frame();
          if (request === undefined) return;
          // What the target gives up it cancels.
          if (request.type !== FRAME.request) continue;
          const body = bytes("mine");
          const auth = i++ === 0
            ? other.signResponse({
              ...{ request: request.auth, peer: scene.target.peerId },
              ...{ kind: result, sequence: 0, body },
            })
            : new Uint8Array();
          const frame = encodeFrame(result, request.call, { auth, body });
          await stream.write(frame).catch(() => {});
        }
      });
      for (let i = 0; i < 2; i++) {
        await assertRejects(
          scene.target.rpc.call(staked(hostile), "m", bytes("x")),
          { code: "RPC_UNAUTHORIZED" },
        );
      }
      assertEquals(unaccepted(scene), 2);
    }),
);

const staked = (hostile: Hostile) => hostile.identity.peerId;

/** Reads a stream of the hostile peer to its end. */
async function read(scene: Scene, answers: readonly Answer[]): Promise<string> {
  let seen = "";
  await called(
    scene,
    async (requests, answer) => {
      const request = (await requests.next()).value as Frame;
      await answer(request, ...answers);
    },
    async (peerId) => {
      const stream = scene.target.rpc.stream(peerId, "m", bytes("x"), {
        timeout: 2_000,
      });
      try {
        for await (const each of stream) seen += String(each[0]);
        seen += " end";
      } catch (error) {
        seen += ` ${(error as { code?: string }).code}`;
      }
    },
  );
  return seen;
}

const items = (...sequences: readonly number[]) =>
  sequences.map((sequence): Answer => [
    item,
    sequence,
    Uint8Array.of(sequence),
  ]);

Deno.test(
  "attack: a stream cannot be reordered, shortened or lengthened",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const done: Answer = [end, 3, new Uint8Array()];
      assertEquals(await read(scene, [...items(0, 1, 2), done]), "012 end");
      for (
        const [answers, expected] of [
          [[...items(0, 2, 1), done], "0 RPC_UNAUTHORIZED"],
          [[...items(1, 0, 2), done], " RPC_UNAUTHORIZED"],
          [[...items(0, 0, 1), done], "0 RPC_UNAUTHORIZED"],
          [[...items(0, 1), done], "01 RPC_UNAUTHORIZED"],
          [[...items(0, 1, 2)], "012 RPC_TIMEOUT"],
          [[...items(0), [end, 3, new Uint8Array()]], "0 RPC_UNAUTHORIZED"],
          [[...items(0), [result, 1, new Uint8Array()]], ""],
        ] as const
      ) {
        const seen = await read(scene, answers as readonly Answer[]);
        assert(seen.startsWith(expected) && !seen.includes(" end"), seen);
      }
      assert(unaccepted(scene) >= 5);
    }),
);

Deno.test(
  "attack: a stream's parts are no answer to a call",
  libp2p,
  () =>
    underAttack(async (scene) => {
      for (const type of [item, end]) {
        await called(
          scene,
          async (requests, answer) => {
            const request = (await requests.next()).value as Frame;
            await answer(request, [type, 0, bytes("x")]);
          },
          async (peerId) => {
            await assertRejects(
              scene.target.rpc.call(peerId, "m", bytes("x")),
              { code: "RPC_UNREACHABLE" },
            );
          },
        );
      }
      const labels = { side: "client" };
      assertEquals(
        scene.metrics.get("meshnode_rpc_violations_total", labels),
        2,
      );
    }),
);

Deno.test(
  "attack: an unsigned end, item or error ends nothing, a false pause is short",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const hostile = await scene.attack(scene.staked);
      let forged: readonly [Frame["type"], Uint8Array] = [
        end,
        new Uint8Array(),
      ];
      await hostile.serve(async (stream) => {
        for (;;) {
          const request = await stream.frame();
          if (request === undefined) return;
          if (request.type !== FRAME.open) continue;
          const [type, body] = forged;
          await stream.write(encodeFrame(type, request.call, { body }));
        }
      });
      for (
        const [each, code] of [
          [[end, new Uint8Array()], "RPC_UNAUTHORIZED"],
          [[item, bytes("x")], "RPC_UNAUTHORIZED"],
          [[error, bytes("RPC_UNKNOWN_METHOD none")], "RPC_UNAUTHORIZED"],
          [[error, busyBody(1e9)], "RPC_BUSY"],
        ] as const
      ) {
        forged = each;
        const stream = scene.target.rpc.stream(
          hostile.identity.peerId,
          "m",
          bytes("x"),
        );
        await assertRejects(stream.next(), { code });
      }
      // Others are asked as before: a pause is for one peer and one method.
      await scene.work();
    }),
);
