import { createNode } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { NodeChild } from "../../src/cli/dev/node_child.ts";
import type { NodeEvent } from "../../src/cli/node_event.ts";
import { argumentsFor, meshnode, Program, withFolder } from "./program.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a node that is ended by a signal says so to the mesh",
  libp2p,
  () =>
    withFolder(async (folder) => {
      const key = `${folder}/identity.key`;
      await meshnode("key", "generate", "--output", key);
      const watcher = await createNode({ heartbeatPeriod: 1 });
      try {
        const [address = ""] = watcher.addresses();
        const node = new Program(
          ...[
            "run",
            "--identity",
            key,
            "--bootstrap",
            address,
            "--data",
            folder,
          ],
          ...["--listen", "/ip4/127.0.0.1/tcp/0", "--heartbeat-period", "60"],
        );
        const state = async () =>
          (await watcher.directory.read()).find(({ peerId }) =>
            peerId !== watcher.peerId
          )?.info.state;
        await eventually(
          async () => await state() === "online",
          () => node.out + node.err,
        );
        node.signal("SIGTERM");
        assertEquals(await node.ended(), 0, node.err);
        assertEquals(await state(), "offline");
      } finally {
        await watcher.stop();
      }
    }),
);

Deno.test(
  "a program that follows a node hears that it is isolated and not ready, and that it is back",
  libp2p,
  () =>
    withFolder(async (folder) => {
      const key = `${folder}/identity.key`;
      await meshnode("key", "generate", "--output", key);
      let other = await createNode();
      const [address = ""] = other.addresses();
      const heard: NodeEvent[] = [];
      const node = new NodeChild({
        command: [
          Deno.execPath(),
          ...argumentsFor("run", "--status-json", "--identity", key),
          ...["--bootstrap", address, "--data", folder],
          ...["--listen", "/ip4/127.0.0.1/tcp/0"],
        ],
        directory: folder,
        onEvent: (event) => heard.push(event),
      });
      const status = () => heard.findLast(({ event }) => event === "status");
      const reach = (network: string, ready: boolean) =>
        eventually(
          () => {
            const last = status();
            return last?.event === "status" && last.network === network &&
              last.ready === ready;
          },
          () => JSON.stringify(status()),
          60_000,
        );
      try {
        await reach("joined", true);
        const { identity } = other;
        await other.stop();
        await reach("isolated", false);
        const last = status();
        assert(last?.event === "status");
        assertEquals(last.unready.map(({ part }) => part), ["mesh"]);
        assert(last.unready[0]?.reason.includes("isolated"));
        const listen = [address.replace(/\/p2p\/.*/, "")];
        other = await createNode({ identity, listen });
        await reach("joined", true);
      } finally {
        node.end(10_000);
        assertEquals(await node.ended, 0);
        await other.stop();
      }
      assertEquals(heard.at(-1), { event: "stopped" });
    }),
);

Deno.test("a node that is not registered is refused, and its log says why", () =>
  withFolder(async (folder) => {
    const dev = new Program(
      "dev",
      "--directory",
      `${folder}/dev`,
      "--block-time",
      "300",
    );
    try {
      await eventually(
        () => /validator-1 online/.test(dev.out),
        () => dev.out + dev.err,
      );
      const key = `${folder}/stranger.key`;
      await meshnode("key", "generate", "--output", key);
      const stranger = new Program(
        ...[
          "run",
          "--identity",
          key,
          "--chain",
          `local:${folder}/dev/chain.db`,
        ],
        ...["--listen", "/ip4/127.0.0.1/tcp/0", "--data", folder],
      );
      await eventually(
        () => /No entry point of the mesh/.test(stranger.err),
        () => stranger.err,
      );
      stranger.signal("SIGTERM");
      assertEquals(await stranger.ended(), 0);
      assert(stranger.err.includes("has no stake in subnet 1"), stranger.err);
    } finally {
      dev.signal("SIGTERM");
      await dev.ended();
    }
  }));

Deno.test("what cannot start says why, and ends with the code of its kind", () =>
  withFolder(async (folder) => {
    const none = `${folder}/none.key`;
    const key = `${folder}/identity.key`;
    await meshnode("key", "generate", "--output", key);
    for (
      const [args, code, says] of [
        [["run", "--identity", none], 78, "key generate"],
        [["run", "--identity", key, "--listen", "nonsense"], 78, "address"],
        [["run", "--identity", key, "--chain", "x"], 2, "local:"],
        [
          ["run", "--identity", key, "--chain", `local:${folder}/no.db`],
          78,
          "dev",
        ],
      ] as const
    ) {
      const ended = await meshnode(...args);
      assertEquals(ended.code, code, ended.err);
      assert(ended.err.includes(says), ended.err);
      assert(!/ at (?:async |file:)/.test(ended.err), "no stack trace");
    }
  }));
