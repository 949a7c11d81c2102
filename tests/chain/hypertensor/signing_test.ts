import { accountFromSecret } from "../../../src/chain/hypertensor/account.ts";
import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import { signCall } from "../../../src/chain/hypertensor/signed_call.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "../../assert.ts";
import {
  recordedMetadata,
  signingVectors,
} from "../../fixtures/chain/fixtures.ts";

Deno.test("the layout is recognised from the metadata", async () => {
  for (
    const [name, layout] of [
      ["r25", "R25"],
      ["r26", "R26"],
      ["r26-v15", "R26"],
    ] as const
  ) {
    assertEquals(readMetadata(await recordedMetadata(name)).layout, layout);
  }
  for (const bad of ["0x", "0x00", "0x6d6574610e", "0x6d657461ff00"] as const) {
    assertThrows(() => readMetadata(bad), { code: "CHAIN_LAYOUT_UNKNOWN" });
  }
});

Deno.test("an account is the same from its mnemonic and its private key", async () => {
  const { signer } = await signingVectors();
  const { mnemonic, privateKey, address } = signer;
  for (
    const secret of [
      mnemonic,
      `  ${mnemonic.replaceAll(" ", "  ")} `,
      privateKey,
      privateKey.slice(2),
    ]
  ) assertEquals(accountFromSecret(secret).address, address);
});

Deno.test("what is no account's secret is refused without being repeated", () => {
  for (
    const bad of [
      "",
      "0x12",
      "zz".repeat(32),
      "0".repeat(64),
      "bottom drive obey lake curtain smoke basket hold race lonely fit fit",
    ]
  ) {
    assertThrows(() => accountFromSecret(bad), (error: Error) => {
      assertEquals((error as { code?: string }).code, "ACCOUNT_SECRET");
      assert(bad === "" || !error.message.includes(bad));
      return true;
    });
  }
});

Deno.test("calls are signed byte for byte as the chain accepted them", async () => {
  const types = readMetadata(await recordedMetadata("r26"));
  const { signer, extrinsics, ...facts } = await signingVectors();
  const account = accountFromSecret(signer.privateKey);
  for (const { call, nonce, signed, hash } of extrinsics) {
    assertEquals(signCall(types, account, call, { ...facts, nonce }), {
      bytes: signed,
      hash,
    });
  }
});

Deno.test("a mortal call names its era, and is another one", async () => {
  const types = readMetadata(await recordedMetadata("r26"));
  const { signer, extrinsics, ...facts } = await signingVectors();
  const account = accountFromSecret(signer.privateKey);
  const [first] = extrinsics;
  assert(first);
  const era = { block: 225, blockHash: facts.genesisHash, period: 32 };
  const mortal = signCall(types, account, first.call, {
    ...facts,
    nonce: first.nonce,
    era,
  });
  assertNotEquals(mortal.hash, first.hash);
  const read = types.registry.createType("Extrinsic", mortal.bytes);
  assertEquals(read.era.asMortalEra.period.toNumber(), 32);
  assertEquals(read.era.asMortalEra.phase.toNumber(), 225 % 32);
  assertEquals(read.nonce.toNumber(), first.nonce);
});
