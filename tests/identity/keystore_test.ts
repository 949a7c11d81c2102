import {
  isKeystore,
  openKeystore,
  parseKeystore,
  sealKeystore,
} from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";

// The vectors that the definition of Web3 secret storage publishes.
const SECRET =
  "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const PASSPHRASE = "testpassword";
const PBKDF2 = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
    ciphertext:
      "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    kdf: "pbkdf2",
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: "hmac-sha256",
      salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
    },
    mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};
const SCRYPT = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext:
      "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
    },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};

for (const [name, vector] of Object.entries({ PBKDF2, SCRYPT })) {
  Deno.test(`the published ${name} vector opens`, async () => {
    const keystore = parseKeystore(JSON.stringify(vector));
    assertEquals(keystore.address, undefined);
    const secret = await openKeystore(keystore, PASSPHRASE);
    assertEquals(secret.toHex(), SECRET);
    await assertRejects(openKeystore(keystore, "testpasswort"), {
      code: "PASSPHRASE_WRONG",
    });
  });
}

Deno.test("what is written is read, with the account it is for", async () => {
  const secret = Uint8Array.fromHex(SECRET);
  const address = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b";
  const text = await sealKeystore(secret, address, "p", {
    logN: 10,
    r: 8,
    p: 1,
  });
  assert(isKeystore(text) && !text.includes(SECRET));
  const keystore = parseKeystore(text);
  assertEquals(keystore.address, address.toLowerCase());
  assertEquals(await openKeystore(keystore, "p"), secret);
  const short = sealKeystore(secret.subarray(1), address, "p");
  await assertRejects(short, { code: "SEALED_DAMAGED" });
});

Deno.test("the name crypto may be written with a capital letter", async () => {
  const { crypto, ...rest } = PBKDF2;
  const keystore = parseKeystore(JSON.stringify({ ...rest, Crypto: crypto }));
  assertEquals((await openKeystore(keystore, PASSPHRASE)).toHex(), SECRET);
});

Deno.test("anything else is refused by name, without being quoted", () => {
  const changed = (change: (file: typeof SCRYPT) => unknown) => {
    const file = structuredClone(SCRYPT);
    return JSON.stringify(change(file) ?? file);
  };
  const params = (more: Record<string, unknown>) =>
    changed((file) => {
      Object.assign(file.crypto.kdfparams, more);
    });
  for (
    const bad of [
      "",
      "{ canary",
      "null",
      "[]",
      '{"version":3}',
      changed((file) => ({ ...file, version: 1 })),
      changed((file) => ({ ...file, address: 5 })),
      changed((file) => ({ ...file, address: "0x12" })),
      changed((file) => ({ ...file, pad: "x".repeat(20_000) })),
      changed(({ crypto }) => ({
        version: 3,
        crypto: { ...crypto, mac: "zz" },
      })),
      changed(({ crypto }) => ({
        version: 3,
        crypto: { ...crypto, cipher: "aes-256-cbc" },
      })),
      changed(({ crypto }) => ({
        version: 3,
        crypto: { ...crypto, ciphertext: "00".repeat(33) },
      })),
      changed(({ crypto }) => ({
        version: 3,
        crypto: { ...crypto, kdf: "pbkdf2" },
      })),
      params({ n: 2 ** 40 }),
      params({ n: 1000 }),
      params({ n: "262144" }),
      params({ r: 100_000 }),
      params({ p: 1e9 }),
      params({ dklen: 64 }),
      params({ salt: "" }),
      JSON.stringify({
        ...PBKDF2,
        crypto: {
          ...PBKDF2.crypto,
          kdfparams: { ...PBKDF2.crypto.kdfparams, c: 1e9 },
        },
      }),
    ]
  ) {
    assertThrows(
      () => parseKeystore(bad),
      (error: { code: string; message: string; cause?: unknown }) =>
        error.code === "SEALED_DAMAGED" && !error.message.includes("canary") &&
        error.cause === undefined,
      bad.slice(0, 80),
    );
  }
});
