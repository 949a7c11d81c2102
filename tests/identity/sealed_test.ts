import {
  generateIdentity,
  isSealed,
  lockKey,
  readIdentityFile,
  seal,
  sealedPeerId,
  unseal,
  writePrivateFile,
} from "../../mod.ts";
import { sealedIdentityFile } from "../../src/identity/identity_file.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";
import { withFolder } from "../system/program.ts";

const CHEAP = { logN: 10, r: 8, p: 1 };
const identity = generateIdentity();

Deno.test("an encrypted identity opens with its passphrase and no other", async () => {
  const sealed = await seal(identity, "correct horse", CHEAP);
  assert(isSealed(sealed) && !isSealed(identity.marshalled));
  assertEquals(sealedPeerId(sealed), identity.peerId);
  assertEquals(await unseal(sealed, "correct horse"), identity.marshalled);
  for (const wrong of ["", "correct hors", "Correct horse"]) {
    await assertRejects(unseal(sealed, wrong), { code: "PASSPHRASE_WRONG" });
  }
  const again = await seal(identity, "correct horse", CHEAP);
  assert(again.toHex() !== sealed.toHex(), "never the same bytes twice");
  assert(!sealed.toHex().includes(identity.marshalled.toHex().slice(8, 40)));
});

Deno.test("every changed bit, and every missing byte, is found out", async () => {
  const sealed = await seal(identity, "p", CHEAP);
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at] = (changed[at] as number) ^ 1;
    await assertRejects(
      unseal(changed, "p"),
      (error: { code: string }) =>
        ["PASSPHRASE_WRONG", "SEALED_DAMAGED"].includes(error.code),
      `byte ${at}`,
    );
  }
  for (const length of [0, 5, 17, 22, 60, sealed.length - 1]) {
    await assertRejects(
      unseal(sealed.subarray(0, length), "p"),
      (error: { code: string }) => /PASSPHRASE|SEALED/.test(error.code),
    );
  }
});

Deno.test("a file cannot make its reader take more memory or time than is allowed", async () => {
  const sealed = await seal(identity, "p", CHEAP);
  const costs = "meshnode-identity".length + 1;
  for (
    const [logN, r, p] of [
      [255, 8, 1],
      [24, 8, 1],
      [20, 255, 1],
      [16, 8, 255],
      [9, 8, 1],
      [14, 0, 1],
      [14, 8, 0],
    ]
  ) {
    const changed = sealed.slice();
    changed.set([logN as number, r as number, p as number], costs);
    assertThrows(() => sealedPeerId(changed), { code: "SEALED_DAMAGED" });
    await assertRejects(unseal(changed, "p"), { code: "SEALED_DAMAGED" });
  }
  const odd = sealed.slice();
  odd.set([17, 1, 1], costs);
  await assertRejects(unseal(odd, "p"), { code: "SEALED_DAMAGED" });
});

Deno.test("an encrypted identity file is read with a passphrase, and told from a damaged one", () =>
  withFolder(async (folder) => {
    const path = `${folder}/identity.key`;
    const sealed = await seal(identity, "p", CHEAP);
    await writePrivateFile(path, sealed);
    assertEquals(await sealedIdentityFile(path), identity.peerId);
    const asked: string[] = [];
    const read = await readIdentityFile(path, (peerId) => {
      asked.push(peerId);
      return Promise.resolve("p");
    });
    assertEquals(read.peerId, identity.peerId);
    assertEquals(asked, [identity.peerId]);
    await assertRejects(readIdentityFile(path), { code: "IDENTITY_SEALED" });
    await assertRejects(readIdentityFile(path, () => Promise.resolve("x")), {
      code: "PASSPHRASE_WRONG",
    });
    const cut = `${folder}/cut.key`;
    await writePrivateFile(cut, sealed.subarray(0, 60));
    await assertRejects(readIdentityFile(cut, () => Promise.resolve("p")), {
      code: "IDENTITY_DAMAGED",
    });
    await Deno.chmod(path, 0o644);
    await assertRejects(readIdentityFile(path, () => Promise.resolve("p")), {
      code: "IDENTITY_EXPOSED",
    });
  }));

Deno.test("a key that is locked is locked for others until it is let go", () =>
  withFolder(async (folder) => {
    const path = `${folder}/identity.key`;
    await writePrivateFile(path, identity.marshalled);
    {
      using _lock = await lockKey(path);
      await assertRejects(lockKey(path), { code: "KEY_IN_USE" });
      assertEquals((await readIdentityFile(path)).peerId, identity.peerId);
    }
    using _again = await lockKey(path);
    await assertRejects(lockKey(`${folder}/none`), Deno.errors.NotFound);
  }));
