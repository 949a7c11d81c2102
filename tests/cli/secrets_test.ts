import { parse } from "../../src/cli/args.ts";
import type { Prompt } from "../../src/cli/prompt.ts";
import {
  accountSecret,
  PASSPHRASE_OPTIONS,
  Passphrases,
} from "../../src/cli/secrets.ts";
import { sealKeystore } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";
import { withFolder } from "../system/program.ts";

function person(...answers: string[]): Prompt & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    interactive: true,
    confirm: () => Promise.resolve(false),
    secret(question) {
      asked.push(question);
      return Promise.resolve(answers.shift() ?? "");
    },
  };
}

const nobody: Prompt = { ...person(), interactive: false };
const parsed = (...args: string[]) => parse(args, PASSPHRASE_OPTIONS, 0);

Deno.test("a passphrase is the first line of a file, and nobody is asked", () =>
  withFolder(async (folder) => {
    const path = `${folder}/pass`;
    await Deno.writeTextFile(path, "a b ü\r\nmore\n", { mode: 0o600 });
    const told: string[] = [];
    const passphrases = new Passphrases(
      parsed("--passphrase-file", path),
      (line) => told.push(line),
      nobody,
    );
    assert(passphrases.given);
    assertEquals(await passphrases.existing("x"), "a b ü");
    assertEquals(await passphrases.fresh("x"), "a b ü");
    assertEquals(told.length, 0);
    await Deno.chmod(path, 0o644);
    const exposed = new Passphrases(
      parsed("--passphrase-file", path),
      (line) => told.push(line),
      nobody,
    );
    await exposed.existing("x");
    assert(told[0]?.includes(`chmod 600 ${path}`));
  }));

Deno.test("a passphrase for something new is typed twice, and is not empty", async () => {
  const make = (...answers: string[]) => {
    const prompt = person(...answers);
    return { prompt, passphrases: new Passphrases(parsed(), () => {}, prompt) };
  };
  const good = make("secret", "secret");
  assertEquals(await good.passphrases.fresh("a.key"), "secret");
  assertEquals(good.prompt.asked.length, 2);
  for (const answers of [["secret", "secrets"], ["", ""]]) {
    await assertRejects(make(...answers).passphrases.fresh("a.key"), {
      code: "PASSPHRASE_MISSING",
    });
  }
  assertEquals(await make("x").passphrases.existing("a.key"), "x");
});

Deno.test("without a terminal, file or descriptor, it says how to give one", async () => {
  const passphrases = new Passphrases(parsed(), () => {}, nobody);
  await assertRejects(passphrases.existing("a.key"), {
    code: "PASSPHRASE_MISSING",
    hint: "Give it with --passphrase-file or --passphrase-fd.",
  });
});

Deno.test("two sources, missing files, endless ones and bytes that are no text are refused", () =>
  withFolder(async (folder) => {
    const both = ["--passphrase-file", "a", "--passphrase-fd", "3"];
    assertThrows(() => new Passphrases(parsed(...both), () => {}, nobody), {
      code: "USAGE",
    });
    await Deno.writeFile(`${folder}/bytes`, Uint8Array.of(0xff, 0xfe));
    for (const path of [`${folder}/none`, `${folder}/bytes`, "/dev/zero"]) {
      const passphrases = new Passphrases(
        parsed("--passphrase-file", path),
        () => {},
        nobody,
      );
      await assertRejects(passphrases.existing("x"), {
        code: "PASSPHRASE_MISSING",
      });
    }
  }));

Deno.test("an account's key file is a keystore, or holds the key as it is", async () => {
  const key =
    "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
  const account = `0x${"ab".repeat(20)}`;
  const keystore = await sealKeystore(
    Uint8Array.fromHex(key),
    account,
    "secret",
    { logN: 10, r: 8, p: 1 },
  );
  const prompt = person("secret");
  const passphrases = new Passphrases(parsed(), () => {}, prompt);
  assertEquals(await accountSecret(` ${key}\n`, "a", passphrases), key);
  assertEquals(prompt.asked, []);
  const opened = await accountSecret(keystore, "hot.json", passphrases);
  assertEquals(opened, `0x${key}`);
  assertEquals(prompt.asked, [`Passphrase of hot.json (${account})`]);
});
