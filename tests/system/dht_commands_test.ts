import { type CallTrace, createNode, type MeshNode } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { meshnode, Program, withFolder } from "./program.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

async function withMesh(
  test: (
    dht: (...args: string[]) => ReturnType<typeof meshnode>,
    address: string,
  ) => Promise<void>,
): Promise<void> {
  const nodes: MeshNode[] = [await createNode()];
  try {
    const bootstrap = nodes[0]?.addresses() ?? [];
    for (let i = 0; i < 2; i++) nodes.push(await createNode({ bootstrap }));
    await eventually(
      () => nodes.every((node) => node.members().length === 2),
      () => nodes.map((node) => node.members().length),
    );
    const [address = ""] = bootstrap;
    await test(
      (...args) => meshnode("dht", ...args, "--bootstrap", address),
      address,
    );
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

Deno.test(
  "records are put, read, traced and deleted from the command line",
  libp2p,
  () =>
    withMesh(async (dht) => {
      const put = await dht("put", "greeting", "hello");
      assertEquals(put.code, 0, put.err);
      assertEquals(put.out.match(/stored/g)?.length, 3, put.out);
      const [read, json, trace, peers] = await Promise.all([
        dht("get", "greeting"),
        dht("get", "greeting", "--json"),
        dht("trace", "greeting"),
        dht("peers", "--json"),
      ]);
      assertEquals([read?.code, read?.out], [0, "hello\n"], read?.err);
      const { value, digest } = JSON.parse(json?.out ?? "");
      assertEquals(value, "hello");
      assert(/dht\.find .* answered/.test(trace?.out ?? ""), trace?.out);
      assert(!trace?.out.includes("Lookup"), trace?.out);
      const lookup = ["trace", "greeting", "--lookup"];
      const [steps, told] = await Promise.all([
        dht(...lookup),
        dht(...lookup, "--json"),
      ]);
      assert(
        /^Lookup\nPeer .* Closer\n[^]*answered +\d[^]*\nCalls\nPeer .* Replica/
          .test(steps?.out ?? ""),
        steps?.out,
      );
      const traced = JSON.parse(told?.out ?? "");
      assertEquals(
        traced.lookup.map(({ kind, method, outcome, closer }: CallTrace) => [
          ...[kind, method, outcome],
          Number.isInteger(closer),
        ]),
        Array(3).fill(["lookup", "dht.closest", "answered", true]),
      );
      assertEquals(traced.calls.length, 3);
      assertEquals(JSON.parse(peers?.out ?? "").length, 3);
      const [absent, older, changed] = [
        await dht("put", "greeting", "x", "--if-absent", "--lifetime", "7200"),
        await dht("put", "greeting", "x", "--lifetime", "60"),
        await dht(
          ...["put", "greeting", '{"a": [1]}', "--json-value", "--json"],
          ...["--if-digest", digest, "--lifetime", "7200"],
        ),
      ];
      assertEquals(absent.code, 75, absent.out + absent.err);
      assert(absent.err.includes("Read it again"), absent.err);
      assertEquals(older.code, 75, older.out);
      assert(older.err.includes("later expiration"), older.err);
      assertEquals(JSON.parse(changed.out).stored, true, changed.err);
      const deleted = await dht("delete", "greeting");
      assertEquals(deleted.code, 0, deleted.err);
      const gone = await dht("get", "greeting");
      assertEquals([gone.code, gone.out], [65, ""], gone.err);
    }),
);

Deno.test(
  "own entries are listed, watched, and written by their owner only",
  libp2p,
  () =>
    withFolder((folder) =>
      withMesh(async (dht, address) => {
        const key = `${folder}/identity.key`;
        await meshnode("key", "generate", "--output", key);
        const watching = new Program(
          ...["dht", "watch", "offers", "--json", "--bootstrap", address],
        );
        const own = ["--own", "--identity", key];
        const put = await dht("put", "offers", "7", "--json-value", ...own);
        assertEquals(put.code, 0, put.err);
        const listed = JSON.parse((await dht("list", "offers", "--json")).out);
        assertEquals(listed.entries.length, 1);
        assertEquals(listed.entries[0].value, 7);
        const subkey = JSON.stringify(listed.entries[0].subkey);
        const [stolen, without] = await Promise.all([
          dht("delete", "offers", "--json-key", "--subkey", subkey),
          dht("put", "offers", "8", "--own"),
        ]);
        assert(stolen?.code !== 0, stolen?.out);
        assertEquals(without?.code, 2, without?.err);
        const deleted = await dht("delete", "offers", ...own);
        assertEquals(deleted.code, 0, deleted.err);
        await eventually(
          () => /"deleted"/.test(watching.out),
          () => watching.out + watching.err,
        );
        watching.signal("SIGINT");
        assertEquals(await watching.ended(), 0, watching.err);
        const kinds = watching.out.trim().split("\n")
          .map((line) => JSON.parse(line).kind);
        assertEquals(kinds, ["changed", "deleted"]);
      })
    ),
);

Deno.test(
  "large and binary values come from files, and listings of any length are one JSON text",
  libp2p,
  () =>
    withFolder((folder) =>
      withMesh(async (dht) => {
        const path = `${folder}/value`;
        const bytes = new Uint8Array(1_000_000).map((_, i) => i % 251);
        await Deno.writeFile(path, bytes);
        const put = await dht("put", "big", "--value-file", path);
        assertEquals(put.code, 0, put.err);
        const big = JSON.parse((await dht("get", "big", "--json")).out);
        assertEquals(big.value.$bytes, bytes.toHex());
        await Deno.truncate(path, 2 ** 20 + 1);
        await Deno.writeTextFile(`${folder}/json`, '{"$float": 1e999}');
        const large = ["put", "big", "--value-file"];
        const cases = [
          [[...large, path, "--lifetime", "9999"], 65, "split"],
          [[...large, `${folder}/none`], 74, "--value-file"],
          [["put", "big", "x", "--value-file", path], 2, "two values"],
          [[...large, `${folder}/json`, "--json-value"], 65, "not finite"],
        ] as const;
        for (const [args, code, says] of cases) {
          const ended = await dht(...args);
          assertEquals(ended.code, code, ended.out + ended.err);
          assert(ended.err.includes(says), ended.err);
        }
        for (const name of ["a", "b", "c"]) {
          await dht("put", "names", name, "--subkey", name);
        }
        const list = ["list", "names", "--json", "--limit", "2"];
        const [all, part] = [await dht(...list, "--all"), await dht(...list)];
        const subkeys = ({ out }: { out: string }) =>
          JSON.parse(out).entries.map(({ subkey }: { subkey: string }) =>
            subkey
          );
        assertEquals(subkeys(all), ["a", "b", "c"]);
        assertEquals(subkeys(part), ["a", "b"]);
        const { next } = JSON.parse(part.out);
        const rest = await dht("list", "names", "--json", "--after", next);
        assertEquals(subkeys(rest), ["c"]);
        const none = await dht("list", "none", "--json", "--all");
        assertEquals(JSON.parse(none.out), { entries: [] });
      })
    ),
);

Deno.test(
  "a watch whose reader is gone ends",
  libp2p,
  () =>
    withMesh(async (dht, address) => {
      const watching = new Program(
        ...["dht", "watch", "k", "--bootstrap", address],
      );
      let lifetime = 100;
      const put = () => dht("put", "k", "v", "--lifetime", `${lifetime++}`);
      await put();
      await eventually(() => watching.out.includes("= v"), () => watching.err);
      watching.isRead = false;
      let code: number | undefined;
      watching.ended().then((ended) => code = ended);
      for (let i = 0; i < 10 && code === undefined; i++) await put();
      assertEquals(code, 0, watching.err);
    }),
);

Deno.test("a command that is ended before it is done says so, and does not succeed", async () => {
  const nobody =
    "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB";
  const end = async (signal: "SIGINT" | "SIGTERM", ...args: string[]) => {
    const program = new Program("dht", ...args, "--bootstrap", nobody);
    await eventually(
      () => program.err.includes("No entry point"),
      () => program.err,
    );
    program.signal(signal);
    return { code: await program.ended(), err: program.err };
  };
  const [put, get, watch] = await Promise.all([
    end("SIGINT", "put", "k", "v"),
    end("SIGTERM", "get", "k"),
    end("SIGINT", "watch", "k"),
  ]);
  assertEquals([put?.code, get?.code, watch?.code], [130, 143, 0], put?.err);
  assert(put?.err.includes("Ended by SIGINT before it was done"), put?.err);
});

Deno.test("commands of records teach, and say what is wrong", async () => {
  const nobody =
    "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB";
  const cases: (readonly [readonly string[], number, string])[] = [
    [["dht", "--help"], 0, "trace"],
    [["dht", "get", "k"], 2, "--bootstrap"],
    [["dht", "get", "--bootstrap", nobody], 2, "KEY"],
    [["dht", "put", "k", "--bootstrap", nobody], 2, "VALUE"],
    [["dht", "put", "k", "{", "--json-value"], 2, "JSON"],
    [["dht", "put", "k", "v", "--if-digest", "00"], 2, "32 bytes"],
    [["dht", "list", "k", "--after", "xyz"], 2, "hexadecimal"],
    [
      ["dht", "get", "k", "--timeout", "1", "--bootstrap", nobody],
      69,
      "reached",
    ],
    [["dht", "get", "k", "--bootstrap", "nonsense"], 78, "address"],
  ];
  for (
    const name of ["get", "list", "watch", "put", "delete", "peers", "trace"]
  ) {
    const { code, out } = await meshnode("dht", name, "--help");
    assertEquals(code, 0);
    assert(out.includes("Examples:") && out.includes("--json"), out);
  }
  for (const [args, code, says] of cases) {
    const ended = await meshnode(...args);
    assertEquals(ended.code, code, args.join(" ") + ended.err);
    assert((ended.out + ended.err).includes(says), ended.out + ended.err);
  }
});
