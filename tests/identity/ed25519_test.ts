import { createHash, randomBytes } from "node:crypto";
import { Point } from "@noble/ed25519";
import { concat, ed25519, fromOpenSsh } from "../../mod.ts";
import {
  isStrongPublicKey,
  nativeEd25519,
  portableEd25519,
} from "../../src/identity/ed25519.ts";
import { ed25519PublicKey } from "../../src/identity/public_key.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const both = [nativeEd25519, portableEd25519];
const ORDER = Point.CURVE().n;

/** RFC 8032, 7.1: seed, public key, message, signature. */
const VECTORS = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

Deno.test("both implementations make and accept the signatures of RFC 8032", () => {
  for (const { publicKey, signer, verifier } of both) {
    for (const [seed, key, message, signature] of VECTORS) {
      assertEquals(publicKey(hex(seed)).toHex(), key);
      assertEquals(signer(hex(seed))(hex(message)).toHex(), signature);
      assert(verifier(hex(key))?.(hex(message), hex(signature)));
    }
  }
});

Deno.test("the platform's own is used where it works", () => {
  assertEquals(ed25519.name, "native");
});

Deno.test("what one signs, the other accepts, and nothing with a bit changed", () => {
  for (let i = 0; i < 20; i++) {
    const [seed, message] = [randomBytes(32), randomBytes(i)];
    const key = nativeEd25519.publicKey(seed);
    assertEquals(portableEd25519.publicKey(seed), key);
    const signature = nativeEd25519.signer(seed)(message);
    assertEquals(portableEd25519.signer(seed)(message), signature);
    for (let bit = i; bit < 512; bit += 97) {
      const bad = signature.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      for (const { verifier } of both) {
        assert(!verifier(key)?.(message, bad));
      }
    }
    for (const { verifier } of both) {
      assert(verifier(key)?.(message, signature));
      assert(!verifier(key)?.(concat(message, hex("00")), signature));
      assert(!verifier(key)?.(message, signature.subarray(0, 63)));
      assert(!verifier(key)?.(message, concat(signature, hex("00"))));
    }
  }
});

/** A little-endian number of 32 bytes. */
const bytesOf = (number: bigint) =>
  hex(number.toString(16).padStart(64, "0")).reverse();
const numberOf = (bytes: Uint8Array) =>
  BigInt(`0x${concat(bytes).reverse().toHex()}`);

/** A point of order 8. */
const T8 = Point.fromBytes(
  hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
);
const torsion = Array.from(
  { length: 8 },
  (_, i) => i === 0 ? Point.ZERO : T8.multiply(BigInt(i), false),
);

/** Signs by hand, with points of small order added to the key and to R. */
function craft(parts: {
  readonly secret: bigint;
  readonly nonce: bigint;
  readonly keyTorsion?: Point;
  readonly nonceTorsion?: Point;
  readonly message: Uint8Array;
}) {
  const { secret, nonce, message } = parts;
  const key = Point.BASE.multiply(secret, false)
    .add(parts.keyTorsion ?? Point.ZERO).toBytes();
  const r = Point.BASE.multiply(nonce, false)
    .add(parts.nonceTorsion ?? Point.ZERO).toBytes();
  const k = numberOf(
    createHash("sha512").update(r).update(key).update(message).digest(),
  ) % ORDER;
  const s = (nonce + k * secret) % ORDER;
  return { key, signature: concat(r, bytesOf(s)), s, r, message };
}

/** What both say, which must be the same. */
function verdict(key: Uint8Array, message: Uint8Array, signature: Uint8Array) {
  const [native, portable] = both.map(({ verifier }) =>
    verifier(key)?.(message, signature)
  );
  assertEquals(portable, native, `${key.toHex()} ${signature.toHex()}`);
  return native;
}

Deno.test("a second form of a signature is accepted by none", () => {
  const message = hex("00");
  const { key, signature, s, r } = craft({ secret: 3n, nonce: 5n, message });
  assertEquals(verdict(key, message, signature), true);
  for (const other of [s + ORDER, s + 2n * ORDER, s + 8n * ORDER]) {
    if (other >= 2n ** 256n) continue;
    assertEquals(verdict(key, message, concat(r, bytesOf(other))), false);
  }
});

Deno.test("signatures with a part of small order are judged alike", () => {
  for (let i = 0; i < 40; i++) {
    for (const [a, r] of [[0, 1], [1, 0], [4, 0], [0, 4], [3, 5], [7, 1]]) {
      const { key, message, signature } = craft({
        secret: BigInt(7 + i),
        nonce: BigInt(11 + 3 * i),
        keyTorsion: torsion[a as number] as Point,
        nonceTorsion: torsion[r as number] as Point,
        message: Uint8Array.of(i),
      });
      const accepted = verdict(key, message, signature);
      if (a === 0 && r !== 0) assertEquals(accepted, false);
    }
  }
});

Deno.test("keys and nonces in another form than their own are judged alike", () => {
  const message = hex("00");
  const forms = [
    ...torsion.map((point) => point.toBytes()),
    // Zero and one with the field's prime added, each with both signs.
    hex("ed" + "ff".repeat(30) + "7f"),
    hex("ed" + "ff".repeat(31)),
    hex("ee" + "ff".repeat(30) + "7f"),
    hex("ee" + "ff".repeat(31)),
    hex("ff".repeat(32)),
    hex("01" + "00".repeat(30) + "80"),
    hex("ec" + "ff".repeat(31)),
    // No point at all, and one of full order.
    hex("02" + "00".repeat(31)),
    Point.BASE.toBytes(),
  ];
  let judged = 0;
  for (const key of forms) {
    for (const r of forms) {
      for (const s of [0n, 1n, ORDER - 1n, ORDER]) {
        if (isStrongPublicKey(key)) {
          verdict(key, message, concat(r, bytesOf(s)));
          judged++;
        }
      }
    }
  }
  assert(judged > 0);
});

Deno.test("bytes that are no point are no key", () => {
  for (const { verifier } of both) {
    assertEquals(verifier(hex("02" + "00".repeat(31))), undefined);
  }
  assertThrows(() => ed25519PublicKey(hex("02" + "00".repeat(31))), {
    code: "INVALID_PUBLIC_KEY",
  });
});

Deno.test("weak keys are no keys: nobody can own what everybody can sign for", () => {
  for (const point of torsion) {
    assert(!isStrongPublicKey(point.toBytes()));
    assertThrows(() => ed25519PublicKey(point.toBytes()), {
      code: "INVALID_PUBLIC_KEY",
    });
    const signed = concat(point.negate().toBytes(), new Uint8Array(32));
    // Such a key really is one that anybody signs for.
    const fits = Array.from(
      { length: 64 },
      (_, i) =>
        nativeEd25519.verifier(point.toBytes())?.(Uint8Array.of(i), signed),
    );
    assert(fits.includes(true));
  }
  for (const low of ["ed", "ee", "f0", "ff"]) {
    for (const high of ["7f", "ff"]) {
      assert(!isStrongPublicKey(hex(low + "ff".repeat(30) + high)));
    }
  }
  for (let i = 0; i < 100; i++) {
    assert(isStrongPublicKey(nativeEd25519.publicKey(randomBytes(32))));
  }
  const blob = concat(
    hex("0000000b"),
    new TextEncoder().encode("ssh-ed25519"),
    hex("00000020"),
    Point.ZERO.toBytes(),
  );
  assertThrows(() => fromOpenSsh(`ssh-ed25519 ${blob.toBase64()}`), {
    code: "INVALID_PUBLIC_KEY",
  });
});
