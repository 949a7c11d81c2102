import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import * as noble from "@noble/ed25519";
import { type Bytes, concat, equal } from "../core/bytes.ts";

/** Ed25519 as RFC 8032 has it, without the cofactor: what one signature is, all agree on. */
export interface Ed25519 {
  /** Where it comes from. */
  readonly name: "native" | "portable";
  /** The public key of a seed of 32 bytes. */
  publicKey(seed: Uint8Array): Bytes;
  /** Signs with a seed of 32 bytes. */
  signer(seed: Uint8Array): (message: Uint8Array) => Bytes;
  /** Checks signatures of a public key; `undefined` when 32 bytes are none. */
  verifier(publicKey: Uint8Array): Ed25519Verifier | undefined;
}

/** Whether a signature belongs to a message; never throws. */
export type Ed25519Verifier = (
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

const SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

// The typings want a Buffer where a Uint8Array does.
// deno-lint-ignore no-explicit-any
const der = (prefix: Uint8Array, key: Uint8Array) => concat(prefix, key) as any;

const privateKey = (seed: Uint8Array) =>
  createPrivateKey({
    key: der(PKCS8_PREFIX, seed),
    format: "der",
    type: "pkcs8",
  });

function handleOf(publicKey: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({
      key: der(SPKI_PREFIX, publicKey),
      format: "der",
      type: "spki",
    });
  } catch {
    return undefined;
  }
}

/** The platform's own. */
export const nativeEd25519: Ed25519 = {
  name: "native",
  publicKey: (seed) => {
    const spki = createPublicKey(privateKey(seed))
      .export({ format: "der", type: "spki" });
    return concat(new Uint8Array(spki).subarray(-32));
  },
  signer: (seed) => {
    const key = privateKey(seed);
    return (message) => concat(sign(null, message, key));
  },
  verifier: (publicKey) => {
    const key = handleOf(publicKey);
    return key &&
      ((message, signature) =>
        signature.length === 64 && verify(null, message, key, signature));
  },
};

const { BASE } = noble.Point;
const ORDER = noble.Point.CURVE().n;

/** A little-endian number. */
function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${concat(bytes).reverse().toHex()}`);
}

function sha512(...parts: readonly Uint8Array[]): Bytes {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return concat(hash.digest());
}

noble.hashes.sha512 = sha512;

/** In JavaScript alone, ten times slower: for platforms without their own. */
export const portableEd25519: Ed25519 = {
  name: "portable",
  publicKey: (seed) => concat(noble.getPublicKey(seed)),
  signer: (seed) => (message) => concat(noble.sign(message, seed)),
  verifier: (publicKey) => {
    const point = pointOf(publicKey);
    return point && ((message, signature) => {
      if (signature.length !== 64) return false;
      const [r, half] = [signature.subarray(0, 32), signature.subarray(32)];
      const s = numberOf(half);
      // A second signature could be made of the first one otherwise.
      if (s >= ORDER) return false;
      const k = numberOf(sha512(r, publicKey, message)) % ORDER;
      // The library's own check multiplies by the cofactor, and so accepts
      // signatures that the platforms' do not.
      const expected = BASE.multiply(s, false)
        .subtract(point.multiply(k, false));
      return equal(expected.toBytes(), r);
    });
  },
};

function pointOf(publicKey: Uint8Array): noble.Point | undefined {
  try {
    return noble.Point.fromBytes(publicKey);
  } catch {
    return undefined;
  }
}

/** The platform's Ed25519 if it has one that works. */
export const ed25519: Ed25519 = works(nativeEd25519)
  ? nativeEd25519
  : portableEd25519;

function works(candidate: Ed25519): boolean {
  try {
    const seed = new Uint8Array(32);
    const signature = candidate.signer(seed)(seed);
    const verifier = candidate.verifier(candidate.publicKey(seed));
    return verifier?.(seed, signature) === true;
  } catch {
    return false;
  }
}

/** 2^255 - 19, little-endian, without its lowest byte. */
const HIGH_BYTES = Uint8Array.fromHex("ff".repeat(30) + "7f");

/** Coordinates of the points of small order, little-endian. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "00".repeat(32),
  "01" + "00".repeat(31),
  "ec" + "ff".repeat(30) + "7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/**
 * Whether 32 bytes are a key that only its owner signs for, in its only form:
 * under a point of small order one signature fits many messages, and a
 * coordinate beyond the field is another form of a smaller one.
 */
export function isStrongPublicKey(publicKey: Uint8Array): boolean {
  const y = concat(publicKey);
  y[31] = (y[31] as number) & 0x7f;
  const beyond = (y[0] as number) >= 0xed && equal(y.subarray(1), HIGH_BYTES);
  return !beyond && !SMALL_ORDER.has(y.toHex());
}
