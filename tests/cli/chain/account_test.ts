import { ONE, sealKeystore } from "../../../mod.ts";
import { signingVectors } from "../../fixtures/chain/fixtures.ts";
import { assert, assertEquals, assertNotEquals } from "../../assert.ts";
import { meshnode, withFolder } from "../../system/program.ts";
import { runCommand, withNetwork } from "./network.ts";

Deno.test("an account is made in a file of its own, and its mnemonic shown only when asked for", () =>
  withFolder(async (folder) => {
    const path = `${folder}/key.txt`;
    const made = await meshnode("account", "generate", "--output", path);
    assertEquals([made.code, made.err], [0, ""]);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    const mnemonic = (await Deno.readTextFile(path)).trim();
    assertEquals(mnemonic.split(" ").length, 12);
    assert(!made.out.includes(mnemonic), made.out);
    const shown = await meshnode("account", "show", "--key-file", path);
    assertEquals([shown.code, shown.err], [0, ""]);
    assert(made.out.includes(shown.out.trim()), made.out);
    assert(!shown.out.includes(mnemonic.split(" ")[0] as string));
    const again = await meshnode("account", "generate", "--output", path);
    assertEquals(again.code, 73, again.out);
    assertEquals((await Deno.readTextFile(path)).trim(), mnemonic);
    const other = await meshnode(
      ...["account", "generate", "--output", `${folder}/other.txt`],
      ...["--words", "24", "--print-mnemonic", "--json"],
    );
    const json = JSON.parse(other.out);
    assertEquals(json.mnemonic.split(" ").length, 24);
    assertNotEquals(json.account, shown.out.trim());
  }));

Deno.test("an account is the one that other wallets derive", () =>
  withFolder(async (folder) => {
    const { signer } = await signingVectors();
    const path = `${folder}/key.txt`;
    for (const secret of [signer.mnemonic, signer.privateKey]) {
      await Deno.writeTextFile(path, `${secret}\n`, { mode: 0o600 });
      const { out, err } = await runCommand(
        ["account", "show", "--key-file", path],
      );
      assertEquals([out, err], [signer.address, ""]);
    }
    const typed = await runCommand(["account", "show"], [], [signer.mnemonic]);
    assertEquals(typed.out, signer.address);
  }));

Deno.test("a key file that others can read is told of; what is no key is not repeated", () =>
  withFolder(async (folder) => {
    const { signer } = await signingVectors();
    const path = `${folder}/key.txt`;
    await Deno.writeTextFile(path, signer.privateKey);
    await Deno.chmod(path, 0o644);
    const open = await runCommand(["account", "show", "--key-file", path]);
    assertEquals([open.code, open.out], [0, signer.address]);
    assert(open.err.includes(`chmod 600 ${path}`), open.err);
    await Deno.chmod(path, 0o600);
    for (const bad of ["", "secret words that are none", "0xabc", "\u0000"]) {
      await Deno.writeTextFile(path, bad);
      const { code, out, err } = await runCommand(
        ["account", "show", "--key-file", path],
      );
      assertEquals([code, out], [78, ""], err);
      assert(bad === "" || !err.includes(bad), err);
    }
    await Deno.writeFile(path, Uint8Array.of(0xff, 0xfe));
    const binary = await runCommand(["account", "show", "--key-file", path]);
    assertEquals(binary.code, 74);
    await Deno.writeTextFile(path, "word ".repeat(4_000));
    const long = await runCommand(["account", "show", "--key-file", path]);
    assertEquals(long.code, 74);
    const missing = await runCommand(
      ["account", "show", "--key-file", `${folder}/none`],
    );
    assertEquals(missing.code, 78);
    assert(missing.err.includes("account generate"), missing.err);
  }));

Deno.test("a key may come from standard input or a pipe", () =>
  withFolder(async (folder) => {
    const { signer } = await signingVectors();
    const path = `${folder}/key.txt`;
    await Deno.writeTextFile(path, signer.mnemonic, { mode: 0o600 });
    const program = new URL("../../../main.ts", import.meta.url).pathname;
    const shell = async (redirect: string, descriptor: string) => {
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: [
          "-c",
          `cat "${path}" | "$0" run --no-prompt --allow-read --ignore-env "$1" account show --key-fd ${descriptor} ${redirect}`,
          Deno.execPath(),
          program,
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).output();
      const decoder = new TextDecoder();
      assertEquals(decoder.decode(stderr), "");
      return decoder.decode(stdout).trim();
    };
    assertEquals(await shell("", "0"), signer.address);
    assertEquals(await shell("3<&0 </dev/null", "3"), signer.address);
  }));

Deno.test("a keystore signs once its passphrase is given, from a file or through a pipe", () =>
  withNetwork(async ({ run, server, subnet, owner, keyFile }) => {
    const { signer } = await signingVectors();
    const text = await sealKeystore(
      Uint8Array.fromHex(signer.privateKey.slice(2)),
      signer.address,
      "open sesame",
      { logN: 12, r: 8, p: 1 },
    );
    const path = `${keyFile}.json`;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    const asked = await run(
      ["stake", "delegate", subnet, "--amount", "1", "--key-file", path],
      ["open sesame", true],
    );
    assertEquals(asked.code, 0, asked.err);
    assertEquals(server.ledger.state().delegated.get(owner), ONE);
    const wrong = await runCommand(
      ["account", "show", "--key-file", path],
      [],
      ["sesame"],
    );
    assert(wrong.code !== 0 && !wrong.err.includes("sesame"), wrong.err);
    const passphrase = `${keyFile}.pass`;
    await Deno.writeTextFile(passphrase, "open sesame\n", { mode: 0o600 });
    const piped = await new Deno.Command("sh", {
      args: [
        "-c",
        'cat "$2" | "$0" run --no-prompt --allow-read --ignore-env "$1" account show --key-fd 0 --passphrase-file "$3"',
        Deno.execPath(),
        new URL("../../../main.ts", import.meta.url).pathname,
        path,
        passphrase,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    assertEquals(
      [decoder.decode(piped.stdout).trim(), decoder.decode(piped.stderr)],
      [signer.address, ""],
    );
  }));

Deno.test("without a terminal and a key nothing is guessed", async () => {
  for (
    const [args, says] of [
      [["account", "show"], "--key-file"],
      [["account", "show", "--key-file", "a", "--key-fd", "0"], "not both"],
      [["account", "generate"], "--output"],
      [["account", "generate", "--output", "x", "--words", "13"], "12, 15"],
    ] as const
  ) {
    const { code, err } = await runCommand(args);
    assertEquals(code, 2, err);
    assert(err.includes(says), err);
  }
});

Deno.test("balances are exact", () =>
  withNetwork(async ({ run, owner, keyFile }) => {
    assertEquals((await run(["account", "balance", owner])).out, "500 TENSOR");
    const own = await run([
      "account",
      "balance",
      "--key-file",
      keyFile,
      "--json",
    ]);
    const { account, balance } = JSON.parse(own.out);
    assertEquals([account, balance], [owner, "500000000000000000000"]);
  }));
