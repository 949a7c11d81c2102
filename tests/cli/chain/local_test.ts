import { DatabaseSync } from "node:sqlite";
import { LocalChain } from "../../../src/chain/local/mod.ts";
import { generateIdentity } from "../../../mod.ts";
import { assert, assertEquals } from "../../assert.ts";
import { eventually } from "../../eventually.ts";
import { meshnode, Program, withFolder } from "../../system/program.ts";

const hotkey = `0x${"a1".repeat(20)}`;

/** A development chain with one node, and the option that names it. */
async function withLocal(
  test: (url: string, peerId: string, chain: LocalChain) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/chain.db`;
    const chain = LocalChain.create(path, { blockMilliseconds: 200 });
    try {
      const { peerId } = generateIdentity();
      const coldkey = `0x${"b2".repeat(20)}`;
      chain.register({ hotkey, coldkey, peerId, nodeClass: "validator" });
      chain.addBootnode(peerId, `/ip4/127.0.0.1/tcp/4001/p2p/${peerId}`);
      await test(`local:${path}`, peerId, chain);
    } finally {
      await chain.close();
    }
  });
}

Deno.test("a development chain is shown like a real one", () =>
  withLocal(async (url, peerId) => {
    const show = async (...args: string[]) => {
      const { code, out, err } = await meshnode(
        "chain",
        ...args,
        "--chain",
        url,
      );
      assertEquals([code, err], [0, ""], out);
      return out;
    };
    const status = JSON.parse(await show("status", "--json"));
    assertEquals(status.constants.blockMilliseconds, 200);
    assert((await show("subnet", "1")).includes("Least stake"));
    const { nodes } = JSON.parse(await show("nodes", "1", "--json"));
    assertEquals(nodes[0].peer.peerId, peerId);
    assertEquals(nodes[0].stake, "100000000000000000000");
    assert((await show("nodes", "1")).includes("1 node: 1 validator."));
    assert((await show("node", "1", "--peer-id", peerId)).includes(hotkey));
    assert((await show("node", "1", "--hotkey", hotkey)).includes(peerId));
    const epoch = JSON.parse(await show("epoch", "1", "--json"));
    assertEquals(epoch.attestors, [1]);
    assertEquals(
      await show("bootnodes", "1", "--addresses"),
      `/ip4/127.0.0.1/tcp/4001/p2p/${peerId}\n`,
    );
  }));

Deno.test("a chain is followed until the user ends it", () =>
  withLocal(async (url) => {
    const program = new Program(
      ...["chain", "watch", "1", "--blocks", "--chain", url],
    );
    await eventually(
      () =>
        program.out.split("\n").length > 4 && program.out.includes("elected"),
      () => program.out + program.err,
      30_000,
    );
    program.signal("SIGINT");
    assertEquals(await program.ended(), 0, program.err);
  }));

Deno.test("what is not there, or not understood, ends with its own code and a way out", () =>
  withLocal(async (url) => {
    for (
      const [args, code, says] of [
        [["chain", "nodes", "9", "--chain", url], 65, "no subnet 9"],
        [["chain", "node", "1", "7", "--chain", url], 65, "no node with id 7"],
        [["chain", "node", "1", "--chain", url], 2, "--hotkey"],
        [["chain", "node", "1", "x", "--chain", url], 2, "no id of a node"],
        [["chain", "nodes", "--chain", url], 2, "subnet is missing"],
        [["chain", "nodes", "1"], 2, "--chain"],
        [["chain", "nodes", "1", "--chain", "http://x"], 2, "ws://"],
        [
          ["chain", "nodes", "1", "--min-class", "boss", "--chain", url],
          2,
          "registered, idle",
        ],
        [["chain", "stake", hotkey, "--chain", url], 2, "development chain"],
        [["chain", "stake", "0x12", "--chain", url], 2, "no account"],
        [
          ["chain", "status", "--chain", "ws://127.0.0.1:9", "--timeout", "1"],
          69,
          "did not answer within 1 s",
        ],
      ] as const
    ) {
      const { code: is, err, out } = await meshnode(...args);
      assertEquals([is, out], [code, ""], err);
      assert(err.includes(says), err);
    }
  }));

Deno.test("an account with wrong capitals is taken for mistyped", async () => {
  const right = "0x3DA8D322CB2435dA26E9C9fEE670f9fB7Fe74E49";
  const wrong = right.replace("DA8", "dA8");
  const { code, err } = await meshnode(
    ...["chain", "stake", wrong, "--chain", "ws://127.0.0.1:9"],
  );
  assertEquals(code, 2);
  assert(err.includes("mistyped"), err);
});

Deno.test("a chain of another version ends every command with 78, and says what to do", () =>
  withFolder(async (folder) => {
    const path = `${folder}/chain.db`;
    await LocalChain.create(path).close();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 9");
    db.close();
    const before = await Deno.readFile(path);
    await Deno.writeTextFile(`${folder}/dev.json`, "{}");
    const identity = `${folder}/identity.key`;
    await meshnode("key", "generate", "--output", identity);
    for (
      const args of [
        ["chain", "status", "--chain", `local:${path}`],
        ["run", "--chain", `local:${path}`, "--identity", identity],
        ["dev", "--directory", folder],
      ]
    ) {
      const { code, err } = await meshnode(...args);
      assertEquals(code, 78, err);
      for (
        const part of [
          `error: The local chain in ${path} has format 9`,
          "a later version made it",
          "hint: Use the version that made it, move it away, or",
        ]
      ) assert(err.includes(part), err);
      assertEquals(await Deno.readFile(path), before);
    }
  }));
