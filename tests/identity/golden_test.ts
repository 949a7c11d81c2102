import {
  fromOpenSsh,
  generateIdentity,
  identityFromMarshalled,
  identityFromSeed,
  KeyFormatError,
  peerIdBytes,
  verifySignature,
} from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

// Golden vectors made by the reference: Ed25519 seed = bytes 00…1f.
const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
const publicHex =
  "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const openSsh =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const message = new TextEncoder().encode("a message");

Deno.test("the reference's seed gives its OpenSSH text, peer id and identity file", () => {
  const identity = identityFromSeed(seed);
  assertEquals(identity.openSsh, openSsh);
  assertEquals(
    identity.peerId,
    "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB",
  );
  assertEquals(
    peerIdBytes(identity.publicKey).toHex(),
    "002408011220" + publicHex,
  );
  assertEquals(
    identity.marshalled.toHex(),
    "08011240" + seed.toHex() + publicHex,
  );
});

for (const type of ["ed25519", "rsa"] as const) {
  Deno.test(`a new ${type} key survives its file form and its OpenSSH form`, () => {
    const identity = generateIdentity(type);
    const again = identityFromMarshalled(identity.marshalled);
    assertEquals(again.peerId, identity.peerId);
    assertEquals(
      fromOpenSsh(identity.openSsh).raw,
      identity.publicKey.raw,
    );
    assert(identity.peerId.startsWith(type === "rsa" ? "Qm" : "12D3KooW"));
  });

  Deno.test(`an ${type} signature holds for its message and key only`, () => {
    const identity = generateIdentity(type);
    const signature = identity.sign(message);
    assert(verifySignature(identity.publicKey, message, signature));
    assert(!verifySignature(identity.publicKey, seed, signature));
    const other = generateIdentity(type).publicKey;
    assert(!verifySignature(other, message, signature));
    assert(!verifySignature(identity.publicKey, message, seed));
  });
}

Deno.test("a damaged, empty or foreign key file is refused by name", () => {
  const good = identityFromSeed(seed).marshalled;
  const flipped = good.slice();
  flipped[67] = 0;
  const secp256k1 = good.slice();
  secp256k1[1] = 2;
  const text = new TextEncoder().encode("-----BEGIN PRIVATE KEY-----");
  for (
    const bytes of [
      new Uint8Array(0),
      good.subarray(0, 40),
      flipped,
      secp256k1,
      text,
    ]
  ) {
    assertThrows(() => identityFromMarshalled(bytes), KeyFormatError);
  }
});

Deno.test("OpenSSH text in any other form than ours is refused", () => {
  for (
    const text of [
      "",
      openSsh + " comment",
      openSsh + "\n",
      openSsh.replace("ssh-ed25519", "ssh-rsa"),
      openSsh.slice(0, -4),
      "ssh-ed25519 !",
    ]
  ) {
    assertThrows(() => fromOpenSsh(text), { code: "INVALID_PUBLIC_KEY" });
  }
});
