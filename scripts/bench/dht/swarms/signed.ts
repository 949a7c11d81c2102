import { Buffer } from "node:buffer";
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Ed25519 for contestants that leave the signatures to their users. */
export class SigningKey {
  readonly #private: KeyObject;
  /** 32 bytes. */
  readonly raw: Buffer;

  /** A new key pair. */
  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#private = privateKey;
    this.raw = Buffer.from(
      publicKey.export({ format: "der", type: "spki" }),
    ).subarray(-32);
  }

  /** 64 bytes. */
  sign(message: Uint8Array): Buffer {
    return Buffer.from(sign(null, message, this.#private));
  }
}

const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** Whether the owner of a raw public key signed the message. */
export function isSigned(
  signature: Uint8Array,
  message: Uint8Array,
  raw: Uint8Array,
): boolean {
  const key = createPublicKey({
    key: Buffer.concat([SPKI, raw]),
    format: "der",
    type: "spki",
  });
  return verify(null, message, key, signature);
}
