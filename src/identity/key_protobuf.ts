import { type Bytes, concat } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";

/** Key types of peers. libp2p knows more; nodes use these two. */
export type KeyType = "ed25519" | "rsa";

const TYPE_NAMES = ["rsa", "ed25519", "secp256k1", "ecdsa"] as const;

/** The error for bytes that are not a marshalled key of a supported type. */
export class KeyFormatError extends MeshError {
  /** Says what is wrong with the bytes. */
  constructor(message: string, options?: ErrorOptions) {
    super("KEY_FORMAT", message, options);
    this.name = "KeyFormatError";
  }
}

/**
 * libp2p's protobuf `{ Type = 1; Data = 2 }`, which is the form of both public
 * and private keys.
 */
export function marshalKey(type: KeyType, data: Uint8Array): Bytes {
  const head = [0x08, TYPE_NAMES.indexOf(type), 0x12];
  let length = data.length;
  for (; length >= 0x80; length >>>= 7) head.push((length & 0x7f) | 0x80);
  head.push(length);
  return concat(Uint8Array.from(head), data);
}

/**
 * Reads what {@linkcode marshalKey} writes, and nothing else: exactly the two
 * fields in order, with no bytes after them.
 *
 * @throws {KeyFormatError} when the bytes are anything else.
 */
export function unmarshalKey(
  bytes: Uint8Array,
): { readonly type: KeyType; readonly data: Bytes } {
  if (bytes.length === 0) throw new KeyFormatError("It is empty.");
  if (bytes[0] !== 0x08 || bytes[2] !== 0x12) {
    throw new KeyFormatError("It is not a libp2p marshalled key.");
  }
  const type = TYPE_NAMES[bytes[1] as number];
  let length = 0, at = 3;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 21) {
      throw new KeyFormatError("It is damaged: its length is cut off.");
    }
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const data = concat(bytes.subarray(at));
  if (data.length !== length) {
    throw new KeyFormatError(
      `It is damaged: ${length} bytes of key announced, ${data.length} present.`,
    );
  }
  if (type !== "rsa" && type !== "ed25519") {
    throw new KeyFormatError(
      `It holds a key of type ${
        type ?? bytes[1]
      }, and a peer's key is Ed25519 or RSA.`,
    );
  }
  return { type, data };
}
