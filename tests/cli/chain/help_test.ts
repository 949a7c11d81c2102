import { CHAIN_COMMANDS } from "../../../src/cli/chain/commands.ts";
import type { Command, Entry } from "../../../src/cli/command.ts";
import { parse } from "../../../src/cli/args.ts";
import { assert, assertEquals } from "../../assert.ts";
import { meshnode } from "../../system/program.ts";

/** All commands with their names. */
async function* commands(
  entries: Readonly<Record<string, Entry>>,
  path: readonly string[] = [],
): AsyncGenerator<
  {
    readonly path: string[];
    readonly summary: string;
    readonly command: Command;
  }
> {
  for (const [name, entry] of Object.entries(entries)) {
    const here = [...path, name];
    if ("commands" in entry) yield* commands(entry.commands, here);
    else {
      const { summary } = entry;
      yield { path: here, summary, command: await entry.load() };
    }
  }
}

Deno.test("every command teaches by examples that it would itself understand", async () => {
  let seen = 0;
  for await (const { path, summary, command } of commands(CHAIN_COMMANDS)) {
    seen++;
    const name = `meshnode ${path.join(" ")}`;
    assertEquals(command.summary, summary, name);
    assert(command.examples.length > 0, name);
    for (const [line] of command.examples) {
      assert(line.startsWith(`${name} `), line);
      const words = line.slice(name.length + 1).split(" ");
      // Throws for an option that there is not, and for too many arguments.
      parse(words, command.options, command.positionals ?? 0);
    }
    for (const [option, { help }] of Object.entries(command.options)) {
      assert(help.length > 0, `${name} --${option}`);
    }
  }
  assert(seen >= 30, String(seen));
});

Deno.test("no command takes a secret on the command line", async () => {
  for await (const { path, command } of commands(CHAIN_COMMANDS)) {
    for (const option of Object.keys(command.options)) {
      assert(
        !/^(phrase|mnemonic|private-key|secret|password|passphrase)$/
          .test(option),
        `${path.join(" ")} --${option}`,
      );
    }
  }
});

Deno.test("help is there at every level, and loads nothing large", async () => {
  for (
    const [args, says] of [
      [["--help"], "stake"],
      [["chain", "--help"], "reputation"],
      [["subnet", "--help"], "update-bootnodes"],
      [["stake", "add", "--help"], "--key-file PATH"],
      [["register", "--help"], "--max-burn AMOUNT"],
      [["overwatch", "weights", "--help"], "--epoch N"],
    ] as const
  ) {
    const { code, out, err } = await meshnode(...args);
    assertEquals([code, err], [0, ""]);
    assert(out.includes(says), out);
  }
});
