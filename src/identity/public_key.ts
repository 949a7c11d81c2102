import {
  constants,
  createPublicKey,
  type KeyObject,
  verify,
} from "node:crypto";
import { type Bytes, concat } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";
import { ed25519, isStrongPublicKey } from "./ed25519.ts";
import { type KeyType, marshalKey, unmarshalKey } from "./key_protobuf.ts";

/** Smallest and largest RSA modulus accepted, in bits. */
export const RSA_BITS = { min: 2048, max: 8192 } as const;

/** The error for a public key that cannot be used. */
export class InvalidPublicKeyError extends MeshError {
  /** Says why the key cannot be used. */
  constructor(message: string, options?: ErrorOptions) {
    super("INVALID_PUBLIC_KEY", message, options);
    this.name = "InvalidPublicKeyError";
  }
}

/** A peer's public key. */
export interface PublicKey {
  /** The algorithm. */
  readonly type: KeyType;
  /** Ed25519: the 32 raw bytes. RSA: SubjectPublicKeyInfo DER. */
  readonly raw: Bytes;
  /** Checks a signature made by {@linkcode Identity.sign}; never throws on bad ones. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * The public key of 32 raw Ed25519 bytes.
 *
 * @throws {InvalidPublicKeyError} when there are not exactly 32 bytes, or when
 * others could sign for the key, too.
 */
export function ed25519PublicKey(raw: Uint8Array): PublicKey {
  if (raw.length !== 32) {
    throw new InvalidPublicKeyError(
      `An Ed25519 public key has 32 bytes, not ${raw.length}.`,
    );
  }
  const verify = isStrongPublicKey(raw) ? ed25519.verifier(raw) : undefined;
  if (verify === undefined) {
    throw new InvalidPublicKeyError(
      "The bytes are no Ed25519 public key that a key pair could have.",
    );
  }
  return { type: "ed25519", raw: concat(raw), verify };
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
    raw: concat(handle.export({ format: "der", type: "spki" })),
    verify: (message, signature) =>
      verify("sha256", message, {
        key: handle,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_AUTO,
      }, signature),
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
