import { createHash } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";
import { type Bytes, concat } from "../core/bytes.ts";
import {
  marshalPublicKey,
  type PublicKey,
  unmarshalPublicKey,
} from "./public_key.ts";

/**
 * The peer id's bytes: a multihash of the marshalled public key, of identity
 * kind for Ed25519 (`00 24 …`), SHA-256 for RSA (`12 20 …`).
 */
export function peerIdBytes(key: PublicKey): Bytes {
  const marshalled = marshalPublicKey(key);
  if (key.type === "ed25519") {
    return concat(Uint8Array.of(0x00, marshalled.length), marshalled);
  }
  const digest = createHash("sha256").update(marshalled).digest();
  return concat(Uint8Array.of(0x12, digest.length), digest);
}

/** The peer id's text: `12D3KooW…` for Ed25519, `Qm…` for RSA. */
export function peerIdText(key: PublicKey): string {
  return base58btc.baseEncode(peerIdBytes(key));
}

/** The public key that an Ed25519 peer id holds; others hold none. */
export function publicKeyOfPeerId(text: string): PublicKey | undefined {
  try {
    const bytes = base58btc.baseDecode(text);
    if (bytes[0] !== 0 || bytes[1] !== bytes.length - 2) return undefined;
    const key = unmarshalPublicKey(bytes.subarray(2));
    return key.type === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}
