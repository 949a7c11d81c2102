import {
  generateIdentity,
  LocalChain,
  seal,
  writePrivateFile,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { meshnode, Program, withFolder } from "./program.ts";

const CHEAP = { logN: 10, r: 8, p: 1 };
const PASSPHRASE = "canary-passphrase-2718";
const WORDS = "bottom drive obey lake curtain smoke basket hold race lonely " +
  "fit walk";
const PRIVATE =
  "5fb92d6e98884f76de468fa3f6278f8807c48bebc13595d45af5bdc4da702133";

/** A folder with keys that must never be seen, and what they look like. */
async function withCanaries(
  test: (
    folder: string,
    seen: (text: string) => string[],
  ) => Promise<void>,
) {
  await withFolder(async (folder) => {
    const identity = generateIdentity();
    const file = (name: string) => `${folder}/${name}`;
    await writePrivateFile(file("plain.key"), identity.marshalled);
    const sealed = await seal(identity, PASSPHRASE, CHEAP);
    await writePrivateFile(file("sealed.key"), sealed);
    const text = (name: string, content: string) =>
      Deno.writeTextFile(file(name), content, { mode: 0o600 });
    await text("passphrase", `${PASSPHRASE}\n`);
    await text("wrong", `${PASSPHRASE}x\n`);
    await text("words", `${WORDS}\n`);
    await text("bad-words", `${WORDS.replace("walk", "wall")}\n`);
    await text("private", `0x${PRIVATE}\n`);
    await text("bad-private", `0x${PRIVATE}zz\n`);
    await text("broken.json", `{"version":3,"x":"${PRIVATE}" ${WORDS}`);
    const seed = identity.marshalled.subarray(4, 36);
    const canaries = [
      PASSPHRASE,
      "lake curtain smoke",
      PRIVATE,
      seed.toHex(),
      seed.toBase64().slice(2, 40),
      identity.marshalled.toBase64().slice(8, 40),
      [...seed.subarray(0, 8)].join(", "),
      [...seed.subarray(0, 8)].join(","),
    ];
    await test(
      folder,
      (text) => canaries.filter((each) => text.includes(each)),
    );
  });
}

Deno.test("no secret is in what any command prints, however it ends", () =>
  withCanaries(async (folder, seen) => {
    const file = (name: string) => `${folder}/${name}`;
    const out = ["--output", file("out")];
    const pass = ["--passphrase-file", file("passphrase")];
    const wrong = ["--passphrase-file", file("wrong")];
    const run = ["run", "--log-level", "debug"];
    const endpoint = ["--chain", "ws://127.0.0.1:9", "--hotkey"];
    for (
      const args of [
        ["key", "show", file("plain.key")],
        ["key", "show", file("sealed.key")],
        ["key", "show", file("words")],
        ["key", "show", file("bad-words")],
        ["key", "show", file("private")],
        ["key", "show", file("bad-private")],
        ["key", "show", file("broken.json")],
        ["key", "export", file("plain.key")],
        ["key", "export", file("private")],
        ["key", "decrypt", file("sealed.key"), ...out, ...wrong],
        ["key", "encrypt", file("plain.key"), ...out, ...pass],
        ["key", "encrypt", file("plain.key"), ...out, ...pass],
        ["key", "encrypt", file("bad-words"), ...out, ...pass],
        ["key", "import", "--from", file("bad-private"), ...out, ...pass],
        [
          ...["key", "import", "--kind", "identity", "--from"],
          ...[file("bad-private"), ...out],
        ],
        ["key", "import", "--from", file("broken.json"), ...out, ...pass],
        [...run, "--identity", file("sealed.key")],
        [...run, "--identity", file("sealed.key"), ...wrong],
        [...run, "--identity", file("sealed.key"), ...pass, "--listen", "no"],
        [
          ...[...run, "--identity", file("plain.key")],
          ...[...endpoint, file("bad-words")],
        ],
        [
          ...[...run, "--identity", file("plain.key")],
          ...[...endpoint, file("broken.json")],
        ],
      ]
    ) {
      const ended = await meshnode(...args);
      const printed = ended.out + ended.err;
      assertEquals(seen(printed), [], `${args.join(" ")}\n${printed}`);
      assert(printed.length > 0);
    }
  }));

Deno.test("no secret is in the log of a node that runs with an encrypted identity and a hotkey", () =>
  withCanaries(async (folder, seen) => {
    const chain = LocalChain.create(`${folder}/chain.db`, {
      blockMilliseconds: 200,
    });
    await chain.close();
    const node = new Program(
      ...["run", "--log-level", "debug"],
      ...["--identity", `${folder}/sealed.key`, "--data", `${folder}/data`],
      ...["--passphrase-file", `${folder}/passphrase`],
      ...["--hotkey", `${folder}/words`],
      ...["--chain", `local:${folder}/chain.db`],
      ...["--listen", "/ip4/127.0.0.1/tcp/0"],
    );
    await eventually(
      () => node.out.includes("Peer"),
      () => node.out + node.err,
    );
    node.signal("SIGTERM");
    assertEquals(await node.ended(), 0, node.err);
    const printed = node.out + node.err;
    assertEquals(seen(printed), [], printed);
  }));

Deno.test("a key in use is refused to a second node, and free again once the first was killed", () =>
  withFolder(async (folder) => {
    const key = `${folder}/identity.key`;
    await writePrivateFile(key, generateIdentity().marshalled);
    await Deno.symlink(key, `${folder}/other.key`);
    const start = (identity: string, data: string) =>
      new Program(
        ...["run", "--identity", identity, "--data", `${folder}/${data}`],
        ...["--listen", "/ip4/127.0.0.1/tcp/0"],
      );
    const first = start(key, "a");
    const up = (node: Program) =>
      eventually(() => node.out.includes("Peer"), () => node.out + node.err);
    await up(first);
    // By another name and with another folder it is still the same key.
    const second = start(`${folder}/other.key`, "b");
    assertEquals(await second.ended(), 75, second.err);
    assert(second.err.includes("in use by another process"), second.err);
    first.signal("SIGKILL");
    await first.ended();
    const third = start(key, "c");
    await up(third);
    third.signal("SIGTERM");
    assertEquals(await third.ended(), 0, third.err);
  }));
