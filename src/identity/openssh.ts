import { type Bytes, concat } from "../core/bytes.ts";
import {
  ed25519PublicKey,
  InvalidPublicKeyError,
  type PublicKey,
  rsaPublicKey,
} from "./public_key.ts";
import { createPublicKey } from "node:crypto";

// RFC 4253, section 6.6: every part is a 4-byte big-endian length and bytes.
const NAMES = { ed25519: "ssh-ed25519", rsa: "ssh-rsa" } as const;
const MAX_TEXT = 4096;

function part(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}

/** Positive integers carry a leading zero byte when their top bit is set. */
function mpint(bytes: Uint8Array): Bytes {
  const zero = Uint8Array.of(0);
  return part((bytes[0] ?? 0) & 0x80 ? concat(zero, bytes) : bytes);
}

function splitParts(blob: Uint8Array): Bytes[] {
  const parts: Bytes[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length || parts.length === 3) return [];
    const length = new DataView(blob.buffer, blob.byteOffset + at, 4)
      .getUint32(0);
    if (length > blob.length - at - 4) return [];
    parts.push(concat(blob.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return parts;
}

const withoutLeadingZero = (bytes: Bytes): Bytes =>
  bytes[0] === 0 ? bytes.slice(1) : bytes;

const toBase64Url = (bytes: Bytes): string =>
  bytes.toBase64({ alphabet: "base64url", omitPadding: true });

/** The key as one line of OpenSSH text, without a comment. */
export function toOpenSsh(key: PublicKey): string {
  const name = NAMES[key.type];
  const head = part(new TextEncoder().encode(name));
  if (key.type === "ed25519") {
    return `${name} ${concat(head, part(key.raw)).toBase64()}`;
  }
  const jwk = createPublicKey({
    // deno-lint-ignore no-explicit-any -- the typings want a Buffer where a Uint8Array does
    key: key.raw as any,
    format: "der",
    type: "spki",
  }).export({ format: "jwk" });
  const number = (text: string | undefined) =>
    mpint(Uint8Array.fromBase64(text ?? "", { alphabet: "base64url" }));
  return `${name} ${concat(head, number(jwk.e), number(jwk.n)).toBase64()}`;
}

/**
 * Reads OpenSSH text. Only the form that {@linkcode toOpenSsh} writes is
 * accepted, so that a key has one text and cannot appear as two owners.
 *
 * @throws {InvalidPublicKeyError} when the text is anything else.
 */
export function fromOpenSsh(text: string): PublicKey {
  const key = text.length > MAX_TEXT ? undefined : parse(text);
  if (key === undefined || toOpenSsh(key) !== text) {
    throw new InvalidPublicKeyError(
      "The text is not an Ed25519 or RSA public key in OpenSSH form.",
    );
  }
  return key;
}

function parse(text: string): PublicKey | undefined {
  const [name, encoded, ...rest] = text.split(" ");
  if (encoded === undefined || rest.length > 0) return undefined;
  let blob: Uint8Array;
  try {
    blob = Uint8Array.fromBase64(encoded);
  } catch {
    return undefined;
  }
  const [, first, second] = splitParts(blob);
  if (first === undefined) return undefined;
  if (name === NAMES.ed25519) return ed25519PublicKey(first);
  if (name !== NAMES.rsa || second === undefined) return undefined;
  const jwk = {
    kty: "RSA",
    e: toBase64Url(withoutLeadingZero(first)),
    n: toBase64Url(withoutLeadingZero(second)),
  };
  try {
    const handle = createPublicKey({ key: jwk, format: "jwk" });
    return rsaPublicKey(handle.export({ format: "der", type: "spki" }));
  } catch (cause) {
    throw new InvalidPublicKeyError("The RSA public key cannot be used.", {
      cause,
    });
  }
}
