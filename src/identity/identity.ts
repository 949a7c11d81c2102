import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { type Bytes, concat, equal } from "../core/bytes.ts";
import { ed25519 } from "./ed25519.ts";
import {
  KeyFormatError,
  type KeyType,
  marshalKey,
  unmarshalKey,
} from "./key_protobuf.ts";
import {
  ed25519PublicKey,
  type PublicKey,
  rsaPublicKey,
} from "./public_key.ts";
import { toOpenSsh } from "./openssh.ts";
import { peerIdText } from "./peer_id.ts";

// RSA-PSS with SHA-256 and MGF1-SHA-256 and the longest salt, as the Mesh
// Template signs: 222 bytes for a key of 2048 bits.
const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN,
} as const;

/** A peer's key pair with its derived names. */
export interface Identity {
  /** The algorithm. */
  readonly type: KeyType;
  /** The public half. */
  readonly publicKey: PublicKey;
  /** Base58 peer id. */
  readonly peerId: string;
  /** The public key as OpenSSH text: how it travels in records and calls. */
  readonly openSsh: string;
  /** The private key in libp2p's marshalled form: the identity file's bytes. */
  readonly marshalled: Bytes;
  /** Signs with Ed25519, or with RSA-PSS. */
  sign(message: Uint8Array): Bytes;
}

/** Checks a signature made by {@linkcode Identity.sign}; never throws on bad signatures. */
export function verifySignature(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return key.verify(message, signature);
}

function derBytes(handle: KeyObject, type: "pkcs1" | "spki"): Bytes {
  return concat(handle.export({ format: "der", type }) as Uint8Array);
}

function makeIdentity(
  publicKey: PublicKey,
  marshalled: Bytes,
  sign: Identity["sign"],
): Identity {
  const { type } = publicKey;
  return {
    type,
    publicKey,
    peerId: peerIdText(publicKey),
    openSsh: toOpenSsh(publicKey),
    marshalled,
    sign,
  };
}

/** The Ed25519 identity of a 32-byte seed. */
export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== 32) {
    throw new KeyFormatError(`A seed has 32 bytes, not ${seed.length}.`);
  }
  const publicKey = ed25519PublicKey(ed25519.publicKey(seed));
  const marshalled = marshalKey("ed25519", concat(seed, publicKey.raw));
  return makeIdentity(publicKey, marshalled, ed25519.signer(seed));
}

/** Makes a new key pair; RSA keys have 2048 bits and the exponent 65537. */
export function generateIdentity(type: KeyType = "ed25519"): Identity {
  if (type === "ed25519") return identityFromSeed(randomBytes(32));
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return rsaIdentity(derBytes(privateKey, "pkcs1"));
}

function rsaIdentity(pkcs1: Bytes): Identity {
  let handle: KeyObject;
  try {
    handle = createPrivateKey({
      // deno-lint-ignore no-explicit-any -- as above
      key: pkcs1 as any,
      format: "der",
      type: "pkcs1",
    });
  } catch (cause) {
    throw new KeyFormatError("Its RSA private key cannot be read.", { cause });
  }
  const publicKey = rsaPublicKey(derBytes(createPublicKey(handle), "spki"));
  return makeIdentity(
    publicKey,
    marshalKey("rsa", pkcs1),
    (message) => concat(sign("sha256", message, { key: handle, ...PSS })),
  );
}

/**
 * The identity of a marshalled private key.
 *
 * @throws {KeyFormatError} when the bytes are not one, or its halves disagree.
 */
export function identityFromMarshalled(bytes: Uint8Array): Identity {
  const { type, data } = unmarshalKey(bytes);
  if (type === "rsa") return rsaIdentity(data);
  if (data.length !== 64) {
    throw new KeyFormatError(
      `It is damaged: an Ed25519 key pair has 64 bytes, not ${data.length}.`,
    );
  }
  const identity = identityFromSeed(data.subarray(0, 32));
  if (!equal(identity.publicKey.raw, data.subarray(32))) {
    throw new KeyFormatError("It is damaged: its two halves do not match.");
  }
  return identity;
}
