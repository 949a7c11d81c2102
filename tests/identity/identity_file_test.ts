import {
  generateIdentity,
  readIdentityFile,
  writeIdentityFile,
} from "../../mod.ts";
import { assertEquals, assertRejects } from "../assert.ts";

async function inFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const type of ["ed25519", "rsa"] as const) {
  Deno.test(`an ${type} identity file is made private and read back`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/new/identity.key`;
      const identity = generateIdentity(type);
      await writeIdentityFile(path, identity);
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
      assertEquals((await readIdentityFile(path)).peerId, identity.peerId);
      assertEquals(
        [...Deno.readDirSync(`${folder}/new`)].map((entry) => entry.name),
        ["identity.key"],
      );
    }));
}

Deno.test("an identity file is overwritten only when that was asked for", () =>
  inFolder(async (folder) => {
    const path = `${folder}/identity.key`;
    const [first, second] = [generateIdentity(), generateIdentity()];
    await writeIdentityFile(path, first);
    await assertRejects(writeIdentityFile(path, second), {
      code: "IDENTITY_EXISTS",
    });
    assertEquals((await readIdentityFile(path)).peerId, first.peerId);
    await writeIdentityFile(path, second, { overwrite: true });
    assertEquals((await readIdentityFile(path)).peerId, second.peerId);
  }));

Deno.test("an identity file that others can read is refused with the mending command", () =>
  inFolder(async (folder) => {
    const path = `${folder}/identity.key`;
    await writeIdentityFile(path, generateIdentity());
    await Deno.chmod(path, 0o640);
    await assertRejects(readIdentityFile(path), {
      code: "IDENTITY_EXPOSED",
      hint: `If you trust it still, close it with: chmod 600 ${path}`,
    });
  }));

Deno.test("missing, empty, damaged and oversized files and folders are told apart", () =>
  inFolder(async (folder) => {
    const write = async (bytes: Uint8Array) => {
      await Deno.writeFile(`${folder}/x`, bytes, { mode: 0o600 });
      return `${folder}/x`;
    };
    const good = generateIdentity().marshalled;
    await assertRejects(readIdentityFile(`${folder}/none`), {
      code: "IDENTITY_MISSING",
    });
    for (const bytes of [new Uint8Array(0), good.subarray(0, 50)]) {
      const path = await write(bytes);
      await assertRejects(readIdentityFile(path), { code: "IDENTITY_DAMAGED" });
      assertEquals(await Deno.readFile(path), bytes);
    }
    await assertRejects(readIdentityFile(await write(new Uint8Array(20_000))), {
      code: "IDENTITY_UNREADABLE",
    });
    await assertRejects(readIdentityFile(folder), {
      code: "IDENTITY_UNREADABLE",
    });
  }));
