import { createPublicKey, type KeyObject } from "node:crypto";
import { type Bytes, concat } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";
import { type KeyType, marshalKey, unmarshalKey } from "./key_protobuf.ts";

/** Smallest and largest RSA modulus accepted, in bits. */
export const RSA_BITS = { min: 2048, max: 8192 } as const;

const ED25519_SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");

/** The error for a public key that cannot be used. */
export class InvalidPublicKeyError extends MeshError {
  /** Says why the key cannot be used. */
  constructor(message: string, options?: ErrorOptions) {
    super("INVALID_PUBLIC_KEY", message, options);
    this.name = "InvalidPublicKeyError";
  }
}

/** A peer's public key in its forms: native handle, OpenSSH text, peer id. */
export interface PublicKey {
  /** The algorithm. */
  readonly type: KeyType;
  /** Handle for `node:crypto`. */
  readonly handle: KeyObject;
  /** Ed25519: the 32 raw bytes. RSA: SubjectPublicKeyInfo DER. */
  readonly raw: Bytes;
}

/**
 * The public key of 32 raw Ed25519 bytes.
 *
 * @throws {InvalidPublicKeyError} when there are not exactly 32 bytes.
 */
export function ed25519PublicKey(raw: Uint8Array): PublicKey {
  if (raw.length !== 32) {
    throw new InvalidPublicKeyError(
      `An Ed25519 public key has 32 bytes, not ${raw.length}.`,
    );
  }
  const handle = createPublicKey({
    // deno-lint-ignore no-explicit-any -- the typings want a Buffer where a Uint8Array does
    key: concat(ED25519_SPKI_PREFIX, raw) as any,
    format: "der",
    type: "spki",
  });
  return { type: "ed25519", handle, raw: concat(raw) };
}

/**
 * The public key of an RSA SubjectPublicKeyInfo in DER.
 *
 * @throws {InvalidPublicKeyError} when it is not an RSA key of 2048 to 8192 bits.
 */
export function rsaPublicKey(spki: Uint8Array): PublicKey {
  let handle: KeyObject;
  try {
    handle = createPublicKey({
      // deno-lint-ignore no-explicit-any -- as above
      key: concat(spki) as any,
      format: "der",
      type: "spki",
    });
  } catch (cause) {
    throw new InvalidPublicKeyError("The RSA public key cannot be read.", {
      cause,
    });
  }
  const bits = handle.asymmetricKeyDetails?.modulusLength ?? 0;
  if (handle.asymmetricKeyType !== "rsa") {
    throw new InvalidPublicKeyError("The key is not an RSA key.");
  }
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) {
    throw new InvalidPublicKeyError(
      `An RSA key has ${RSA_BITS.min} to ${RSA_BITS.max} bits, not ${bits}.`,
    );
  }
  return {
    type: "rsa",
    handle,
    raw: concat(handle.export({ format: "der", type: "spki" })),
  };
}

/** The key as libp2p's protobuf `PublicKey { Type, Data }`. */
export function marshalPublicKey(key: PublicKey): Bytes {
  return marshalKey(key.type, key.raw);
}

/**
 * The key of libp2p's protobuf `PublicKey`.
 *
 * @throws {KeyFormatError} | {InvalidPublicKeyError} for anything else.
 */
export function unmarshalPublicKey(bytes: Uint8Array): PublicKey {
  const { type, data } = unmarshalKey(bytes);
  return type === "ed25519" ? ed25519PublicKey(data) : rsaPublicKey(data);
}
