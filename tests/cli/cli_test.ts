import { assert, assertEquals, assertNotEquals } from "../assert.ts";
import { meshnode, withFolder } from "../system/program.ts";

Deno.test("help teaches at every level", async () => {
  for (
    const [args, says] of [
      [["--help"], "Commands:"],
      [["key", "--help"], "generate"],
      [["key", "generate", "--help"], "--force"],
      [["run", "--help"], "--bootstrap ADDR"],
      [["dev", "--help"], "Examples:"],
    ] as const
  ) {
    const { code, out, err } = await meshnode(...args);
    assertEquals([code, err], [0, ""]);
    assert(out.includes(says), out);
  }
  assertEquals((await meshnode("--version")).out, "meshnode 0.1.0\n");
});

Deno.test("what was meant is guessed, and usage errors end with 2", async () => {
  for (
    const [args, says] of [
      [[], "Commands:"],
      [["kez"], "meshnode key"],
      [["xyz"], "--help"],
      [["key", "generate", "--outptu", "x"], "--output"],
      [["key", "show", "a", "b"], "not expected"],
      [["dev", "--validators", "many"], "whole number"],
      [["key", "generate", "--type", "dsa"], "ed25519 or rsa"],
    ] as const
  ) {
    const { code, err } = await meshnode(...args);
    assertEquals(code, 2, err);
    assert(err.includes(says), err);
  }
});

Deno.test("a node that is to take in nobody, or not so many, is not started", () =>
  withFolder(async (folder) => {
    const identity = `${folder}/identity.key`;
    await meshnode("key", "generate", "--output", identity);
    for (const number of ["0", "some", "1025"]) {
      const { code, err } = await meshnode(
        ...["run", "--identity", identity, "--per-network", number],
      );
      assertEquals(code, 2, err);
      assert(err.includes("--per-network is a whole number from 1"), err);
    }
  }));

Deno.test("identity files are private, and replaced only by force", () =>
  withFolder(async (folder) => {
    const path = `${folder}/identity.key`;
    const made = await meshnode("key", "generate", "--output", path, "--json");
    assertEquals(made.code, 0, made.err);
    const first = JSON.parse(made.out);
    assert(first.peerId.startsWith("12D3KooW"));
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    const shown = await meshnode("key", "show", path, "--json");
    assertEquals(JSON.parse(shown.out), first);
    const bytes = await Deno.readFile(path);
    const refused = await meshnode("key", "generate", "--output", path);
    assertEquals(refused.code, 73);
    assert(refused.err.includes("--force"), refused.err);
    assertEquals(await Deno.readFile(path), bytes);
    const forced = await meshnode(
      ...["key", "generate", "--output", path, "--force", "--type", "rsa"],
    );
    assertEquals(forced.code, 0, forced.err);
    assert(forced.out.includes("Qm"));
    assertNotEquals(await Deno.readFile(path), bytes);
  }));

Deno.test("identity files that others can read, or that hold no identity, end with 78 unchanged", () =>
  withFolder(async (folder) => {
    const path = `${folder}/identity.key`;
    await meshnode("key", "generate", "--output", path);
    const good = await Deno.readFile(path);
    await Deno.chmod(path, 0o644);
    const exposed = await meshnode("key", "show", path);
    assertEquals(exposed.code, 78);
    assert(exposed.err.includes(`chmod 600 ${path}`), exposed.err);
    await Deno.chmod(path, 0o600);
    const secp = Uint8Array.of(0x08, 0x02, 0x12, 0x01, 0x00);
    for (const bytes of [new Uint8Array(), good.slice(0, 40), secp]) {
      await Deno.writeFile(path, bytes);
      const { code, err, out } = await meshnode("key", "show", path);
      assertEquals([code, out], [78, ""], err);
      assert(err.startsWith("error: "), err);
      assertEquals(await Deno.readFile(path), bytes);
    }
  }));
