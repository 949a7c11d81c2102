import { assert, assertEquals } from "./assert.ts";

const root = new URL("../", import.meta.url);

Deno.test("what SECURITY.md names as a defence or as its test exists", async () => {
  const text = await Deno.readTextFile(new URL("SECURITY.md", root));
  const named = [...text.matchAll(/`((?:src|tests)\/[\w/.]+)`/g)]
    .map(([, path]) => path as string);
  assert(named.length > 20, "paths are named at all");
  const missing: string[] = [];
  for (const path of new Set(named)) {
    await Deno.stat(new URL(path, root)).catch(() => missing.push(path));
  }
  assertEquals(missing, []);
});
