import { type Terminal, terminalPrompt } from "../../src/cli/prompt.ts";
import { assertEquals, assertRejects } from "../assert.ts";

/** A terminal at which somebody types these. */
function typing(...chunks: readonly string[]) {
  const waiting = chunks.map((chunk) => new TextEncoder().encode(chunk));
  const shown: string[] = [];
  const raw: boolean[] = [];
  const rawAsShown: boolean[] = [];
  const terminal: Terminal = {
    read: (into) => {
      const chunk = waiting.shift();
      if (chunk === undefined) return Promise.resolve(null);
      into.set(chunk);
      return Promise.resolve(chunk.length);
    },
    write: (text) => {
      shown.push(text);
      rawAsShown.push(raw.at(-1) ?? false);
    },
    isTerminal: () => true,
    setRaw: (on) => {
      raw.push(on);
    },
  };
  return { prompt: terminalPrompt(terminal), shown, raw, rawAsShown };
}

Deno.test("only yes is yes", async () => {
  for (
    const [answer, is] of [
      ["y\n", true],
      ["yes\n", true],
      ["YES \r", true],
      ["\n", false],
      ["n\n", false],
      ["yeah\n", false],
    ] as const
  ) {
    const { prompt, shown } = typing(answer);
    assertEquals(await prompt.confirm("Send it?"), is, answer);
    assertEquals(shown.join(""), "Send it? [y/N] ");
  }
});

Deno.test("a secret is never shown, and can be corrected", async () => {
  const { prompt, shown, raw } = typing("sp", "ü", "\u007f", "ecret", "\r");
  assertEquals(await prompt.secret("Mnemonic"), "specret");
  assertEquals(shown.join(""), "Mnemonic: \n");
  assertEquals(raw, [true, false]);
  assertEquals(
    await typing("wrong\u0015right\n").prompt.secret("Key"),
    "right",
  );
  assertEquals(await typing("a\b\b\bb\n").prompt.secret("Key"), "b");
});

Deno.test("who answers a question at once is not shown either", async () => {
  const { prompt, shown, rawAsShown } = typing("secret\n");
  await prompt.secret("Key");
  assertEquals(shown, ["Key: ", "\n"]);
  assertEquals(rawAsShown[0], true);
});

Deno.test("a question that is ended is not answered", async () => {
  for (const end of ["abc\u0003", "\u0004", "abc", "x".repeat(200)]) {
    const chunks = end.length === 200 ? Array(40).fill(end) : [end];
    const { prompt, raw } = typing(...chunks);
    await assertRejects(prompt.secret("Key"), { code: "DECLINED" });
    assertEquals(raw, [true, false]);
  }
  await assertRejects(typing().prompt.confirm("Sure?"), { code: "DECLINED" });
});
