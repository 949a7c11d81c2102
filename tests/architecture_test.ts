import { assert, assertEquals } from "./assert.ts";

/** What each folder of src may import from: the picture in the README, as data. */
const ALLOWED: Record<string, readonly string[]> = {
  core: [],
  identity: ["core"],
  records: ["core"],
  validation: ["core", "identity", "records"],
  network: ["core", "identity"],
  chain: ["core", "identity"],
  auth: ["core", "identity", "chain"],
  rpc: ["core", "identity", "network", "auth"],
  dht: ["core", "identity", "records", "validation", "network", "rpc"],
  heartbeat: ["core", "identity", "records", "validation", "dht"],
  consensus: [
    "core",
    "identity",
    "records",
    "validation",
    "dht",
    "chain",
    "heartbeat",
  ],
  node: ["*"],
  cli: ["*"],
};

const root = new URL("../src/", import.meta.url);

async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(folder)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), folder);
    if (entry.isDirectory) yield* modules(url);
    else if (entry.name.endsWith(".ts")) yield url;
  }
}

Deno.test("modules import only inward", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for await (const url of modules(root)) {
    const path = url.pathname.slice(root.pathname.length);
    const folder = path.split("/")[0] as string;
    const allowed = ALLOWED[folder];
    assert(allowed, `src/${folder} has no place in the architecture`);
    const text = await Deno.readTextFile(url);
    for (
      const [, name] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)
    ) {
      seen++;
      if (!name?.startsWith(".")) continue;
      const { pathname } = new URL(name, url);
      if (!pathname.startsWith(root.pathname)) continue;
      const target = pathname.slice(root.pathname.length);
      const into = target.split("/")[0] as string;
      if (into === folder || allowed.includes(into)) continue;
      // The composition and the commands may use everything below them.
      if (allowed.includes("*") && !(folder === "node" && into === "cli")) {
        continue;
      }
      wrong.push(`${path} imports ${target}`);
    }
  }
  assertEquals(wrong, []);
  assert(seen > 50, "imports were found at all");
});
