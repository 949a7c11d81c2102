import { readIdentityFile } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { meshnode, withFolder } from "../system/program.ts";

// The public development mnemonic of the signing vectors.
const MNEMONIC =
  "bottom drive obey lake curtain smoke basket hold race lonely " +
  "fit walk";
const ACCOUNT = "0xf24ff3a9cf04c71dbc94d0b566f7a27b94566cac";
const PRIVATE =
  "0x5fb92d6e98884f76de468fa3f6278f8807c48bebc13595d45af5bdc4da702133";

async function withPassphrase(
  test: (
    folder: string,
    key: (...args: string[]) => ReturnType<typeof meshnode>,
  ) => Promise<void>,
) {
  await withFolder(async (folder) => {
    const file = `${folder}/passphrase`;
    await Deno.writeTextFile(file, "correct horse\n", { mode: 0o600 });
    await test(
      folder,
      (...args) => meshnode("key", ...args, "--passphrase-file", file),
    );
  });
}

const modeOf = async (path: string) =>
  ((await Deno.stat(path)).mode ?? 0) & 0o777;

Deno.test("identities are encrypted, shown without a passphrase, and decrypted", () =>
  withPassphrase(async (folder, key) => {
    const [plain, sealed, again] = ["a", "b", "c"].map((name) =>
      `${folder}/${name}.key`
    ) as [string, string, string];
    assertEquals(
      (await meshnode("key", "generate", "--output", plain)).code,
      0,
    );
    const { peerId } = await readIdentityFile(plain);
    const made = await key("encrypt", plain, "--output", sealed);
    assertEquals([made.code, made.err], [0, ""]);
    assertEquals(await modeOf(sealed), 0o600);
    const shown = await meshnode("key", "show", sealed, "--json");
    assertEquals(JSON.parse(shown.out), {
      path: sealed,
      peerId,
      protection: "passphrase",
    });
    assertEquals((await key("decrypt", sealed, "--output", again)).code, 0);
    assertEquals(await Deno.readFile(again), await Deno.readFile(plain));
    for (const command of ["encrypt", "decrypt"]) {
      const from = command === "encrypt" ? plain : sealed;
      const before = await Deno.readFile(again);
      const over = await key(command, from, "--output", again);
      assertEquals(over.code, 73, over.err);
      assertEquals(await Deno.readFile(again), before);
    }
    assertEquals((await key("encrypt", sealed, "--output", "x")).code, 2);
    assertEquals((await key("decrypt", plain, "--output", "x")).code, 2);
  }));

Deno.test("a hotkey is imported from its mnemonic by the right path, and exported only when asked", () =>
  withPassphrase(async (folder, key) => {
    const words = `${folder}/mnemonic.txt`;
    const store = `${folder}/hotkey.json`;
    await Deno.writeTextFile(words, `${MNEMONIC}\n`, { mode: 0o600 });
    const made = await key(
      "import",
      "--from",
      words,
      "--output",
      store,
      "--json",
    );
    assertEquals(made.code, 0, made.err);
    assertEquals(JSON.parse(made.out).account, ACCOUNT);
    assert(!(made.out + made.err).includes("bottom"));
    const file = await Deno.readTextFile(store);
    assertEquals(JSON.parse(file).version, 3);
    assertEquals(await modeOf(store), 0o600);
    const shown = await meshnode("key", "show", store);
    assert(shown.out.includes(ACCOUNT), shown.out);
    const refused = await key("export", store);
    assertEquals([refused.code, refused.out], [2, ""]);
    const told = await key("export", store, "--reveal", "--json");
    assertEquals(JSON.parse(told.out).secret, PRIVATE);
    const plain = `${folder}/plain.txt`;
    assertEquals((await key("decrypt", store, "--output", plain)).code, 0);
    assertEquals((await Deno.readTextFile(plain)).trim(), PRIVATE);
    const account = await meshnode(
      ...["account", "show", "--key-file", store],
      ...["--passphrase-file", `${folder}/passphrase`],
    );
    assertEquals(account.code, 0, account.err);
    assert(account.out.toLowerCase().includes(ACCOUNT), account.out);
    const seen = await meshnode("key", "show", plain);
    assert(seen.out.includes(ACCOUNT) && !seen.out.includes(PRIVATE));
  }));

Deno.test("a new hotkey comes back from the mnemonic that was revealed, and from it alone", () =>
  withPassphrase(async (folder, key) => {
    const store = `${folder}/hotkey.json`;
    const made = await key(
      ...["generate", "--kind", "hotkey", "--output", store],
      ...["--reveal", "--json"],
    );
    assertEquals(made.code, 0, made.err);
    const { mnemonic, account } = JSON.parse(made.out);
    assertEquals(mnemonic.split(" ").length, 12);
    const words = `${folder}/words`;
    await Deno.writeTextFile(words, mnemonic, { mode: 0o644 });
    const again = `${folder}/again.json`;
    const back = await key("import", "--from", words, "--output", again);
    assert(back.out.includes(account), back.out);
    assert(back.err.includes(`chmod 600 ${words}`), "others can read it");
    const quiet = await key(
      ...["generate", "--kind", "hotkey", "--output", `${folder}/q.json`],
    );
    assert(!quiet.out.includes("Mnemonic"), quiet.out);
  }));

Deno.test("an exported identity is imported again", () =>
  withPassphrase(async (folder, key) => {
    const path = `${folder}/identity.key`;
    assertEquals((await key("generate", "--output", path)).code, 0);
    const { secret } = JSON.parse(
      (await key("export", path, "--reveal", "--json")).out,
    );
    const text = `${folder}/secret`;
    await Deno.writeTextFile(text, secret, { mode: 0o600 });
    const back = `${folder}/back.key`;
    const made = await meshnode(
      ...["key", "import", "--kind", "identity", "--from", text],
      ...["--output", back],
    );
    assertEquals(made.code, 0, made.err);
    const shown = await meshnode("key", "show", path, "--json");
    const { peerId } = await readIdentityFile(back);
    assertEquals(JSON.parse(shown.out).peerId, peerId);
  }));

Deno.test("what cannot be done says why, with the code of its kind", () =>
  withPassphrase(async (folder, key) => {
    const path = `${folder}/identity.key`;
    await key("generate", "--output", path);
    await Deno.writeTextFile(`${folder}/wrong`, "battery", { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/no`, "{}", { mode: 0o600 });
    const out = ["--output", `${folder}/out`];
    for (
      const [args, code, says] of [
        [["decrypt", path, ...out], 78, "--passphrase-file"],
        [
          ["decrypt", path, ...out, "--passphrase-file", `${folder}/wrong`],
          77,
          "does not open it",
        ],
        [["decrypt", path], 2, "--output"],
        [["encrypt", ...out], 2, "key file is missing"],
        [["show", `${folder}/no`], 65, "version is not 3"],
        [["import", ...out], 2, "--from"],
        [["import", "--kind", "x", ...out], 2, "identity or hotkey"],
        [["generate", "--kind", "x"], 2, "identity or hotkey"],
        [["import", "--from", `${folder}/wrong`, ...out], 78, "not valid"],
        [
          ["import", "--kind", "identity", "--from", `${folder}/no`, ...out],
          2,
          "no base64",
        ],
      ] as const
    ) {
      const ended = await meshnode("key", ...args);
      assertEquals([ended.code, ended.out], [code, ""], ended.err);
      assert(ended.err.includes(says), ended.err);
    }
  }));
