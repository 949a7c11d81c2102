import { fileURLToPath } from "node:url";
import { V8_FLAGS } from "../src/cli/v8_flags.ts";
import { assert, assertEquals } from "./assert.ts";

const root = new URL("../", import.meta.url);

Deno.test("the library's example in the README runs as it stands there", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const example = /```ts\n([^`]+)```/.exec(readme)?.[1];
  assert(example);
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const main = new URL("mod.ts", root).href;
    await Deno.writeTextFile(
      file,
      `${example.replace("./mod.ts", main)}\nDeno.exit(0);\n`,
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--check",
        ...["--config", fileURLToPath(new URL("deno.json", root))],
        "--allow-net=127.0.0.1",
        "--allow-sys",
        "--ignore-env",
        file,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const err = new TextDecoder().decode(stderr);
    assertEquals(code, 0, err);
    const out = new TextDecoder().decode(stdout);
    assert(out.includes(`kind: "plain"`) && out.includes(`"hello"`), out);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("nodes run with the same V8 flags, whatever starts them", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  for (const name of ["node", "bench:dht"]) {
    assert(tasks[name].command.includes(`--v8-flags=${V8_FLAGS} `), name);
  }
});
