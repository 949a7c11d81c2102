import { fileURLToPath } from "node:url";
import { floor, slope } from "../../scripts/soak/slope.ts";
import { assert, assertEquals } from "../assert.ts";

const SCRIPT = fileURLToPath(
  new URL("../../scripts/soak/chain.ts", import.meta.url),
);

async function soak(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--v8-flags=--expose-gc", "--allow-read"],
      ...["--allow-write", "--allow-net=127.0.0.1", "--allow-sys"],
      ...["--allow-run", "--ignore-env", SCRIPT, ...args],
    ],
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("members whose connections drop again and again miss no epoch", async () => {
  const { code, text } = await soak("--minutes=0.35", "--drop-every=5");
  assertEquals(code, 0, text);
  assert(/^[1-9]\d* epochs, 0 missed, [1-9]\d* reconnects/m.test(text), text);
  assert(text.trimEnd().endsWith("passed"), text);
});

Deno.test("a soak in which nobody can vote fails", async () => {
  // No connection lives long enough for a call to be heard of.
  const { code, text } = await soak(
    ...["--minutes=0.35", "--drop-every=0.02"],
  );
  assertEquals(code, 1, text);
  assert(text.trimEnd().endsWith("FAILED"), text);
});

Deno.test("the slope of points is their straight line's", () => {
  assertEquals(slope([]), 0);
  assertEquals(slope([{ x: 1, y: 5 }]), 0);
  const line = [0, 1, 2, 3].map((x) => ({ x, y: 2 * x + 1 }));
  assertEquals(slope(line), 2);
  assertEquals(slope(line.map(({ x }) => ({ x, y: 7 }))), 0);
});

Deno.test("of every stretch the lowest point counts", () => {
  const points = [3, 1, 2, 9, 4, 5].map((y, x) => ({ x, y }));
  assertEquals(floor(points, 3), [{ x: 1, y: 1 }, { x: 4, y: 4 }]);
  assertEquals(floor([], 3), []);
  assertEquals(floor(floor(points, 3), 3), floor(points, 3));
});
