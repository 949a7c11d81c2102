import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../assert.ts";

const SCRIPT = fileURLToPath(
  new URL("../../scripts/soak/chain.ts", import.meta.url),
);

Deno.test("a short soak with cut connections misses no epoch", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-net=127.0.0.1",
      "--allow-sys",
      "--allow-run",
      "--ignore-env",
      SCRIPT,
      "--minutes=0.35",
      "--drop-seconds=4",
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, text + new TextDecoder().decode(stderr));
  assert(/^[1-9]\d* epochs, 0 missed/m.test(text), text);
});
