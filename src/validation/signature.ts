import { type Bytes, concat } from "../core/bytes.ts";
import {
  fromOpenSsh,
  type Identity,
  InvalidPublicKeyError,
  type PublicKey,
  verifySignature,
} from "../identity/mod.ts";
import { type DhtRecord, signedBytes } from "../records/record.ts";
import type { RecordValidator, ValidationType } from "./validator.ts";
import { Verified } from "./verified.ts";

// Each byte as one character, so that patterns match bytes and not text.
const latin1 = new TextDecoder("latin1");
const OWNER = /\[owner:([^\n]+?)\]/g;
const SIGNATURE = /\[signature:([^\n]+?)\]/g;
const ascii = new TextEncoder();
/** Verified records that are remembered at least. */
const REMEMBERED = 8_192;
/** Owners whose keys are kept. */
const MAX_KEYS = 1_024;

/** The marker that makes a record whose subkey contains it the owner's. */
export function ownerMarker(openSsh: string): Bytes {
  return ascii.encode(`[owner:${openSsh}]`);
}

/** The OpenSSH texts of the distinct owners that key and subkey name. */
export function ownersOf(
  record: Pick<DhtRecord, "key" | "subkey">,
): readonly string[] {
  const owners = [record.key, record.subkey].flatMap((bytes) =>
    [...latin1.decode(bytes).matchAll(OWNER)].map((match) => match[1] as string)
  );
  return [...new Set(owners)];
}

/**
 * Lets nobody but the owner write a record whose subkey names an owner.
 *
 * Byte-compatible with the reference: marker `[owner:<OpenSSH key>]` in key or
 * subkey, and `[signature:<base64>]` appended to the value, over the
 * serialized (key, subkey, value, expiration). Records without an owner pass.
 */
export class SignatureValidator implements RecordValidator {
  /** Outermost of the usual validators: it signs last. */
  readonly priority = 10;
  readonly #identity: Identity;
  readonly #verified = new Verified(REMEMBERED);
  readonly #keys = new Map<string, PublicKey>();
  /** The marker to put into the subkeys of one's own records. */
  readonly ownerMarker: Bytes;

  /** Signs with the identity's key. */
  constructor(identity: Identity) {
    this.#identity = identity;
    this.ownerMarker = ownerMarker(identity.openSsh);
  }

  /** Whether the record has no owner, or the one owner's signature. */
  validate(record: DhtRecord, _type: ValidationType): boolean {
    const [owner, ...others] = ownersOf(record);
    if (owner === undefined) return true;
    if (others.length > 0 || !Number.isFinite(record.expiration)) return false;
    const split = splitSignature(record.value);
    if (split === undefined) return false;
    const message = signedBytes({ ...record, value: split.value });
    // Copies of one record come from many replicas, and again at every read.
    const name = Verified.nameOf(owner, message, split.signature);
    if (this.#verified.has(name)) return true;
    const key = this.#keyOf(owner);
    if (key === undefined) return false;
    if (!verifySignature(key, message, split.signature)) return false;
    this.#verified.add(name);
    return true;
  }

  /** Appends the signature if the record is one's own. */
  signValue(record: DhtRecord): Uint8Array {
    if (!ownersOf(record).includes(this.#identity.openSsh)) return record.value;
    const signature = this.#identity.sign(signedBytes(record)).toBase64();
    return concat(record.value, ascii.encode(`[signature:${signature}]`));
  }

  /** The value without its signature. */
  stripValue(record: DhtRecord): Uint8Array {
    if (ownersOf(record).length === 0) return record.value;
    return splitSignature(record.value)?.value ?? record.value;
  }

  /** An owner stores again and again, so that its key is kept. */
  #keyOf(owner: string): PublicKey | undefined {
    const known = this.#keys.get(owner);
    if (known !== undefined) return known;
    const key = readKey(owner);
    if (key === undefined) return undefined;
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(owner, key);
    return key;
  }

  /** One signature is enough: another signature validator is dropped. */
  mergeWith(other: RecordValidator): boolean {
    return other instanceof SignatureValidator;
  }
}

function splitSignature(
  value: Uint8Array,
): { readonly value: Bytes; readonly signature: Uint8Array } | undefined {
  const [match, ...others] = latin1.decode(value).matchAll(SIGNATURE);
  if (match === undefined || others.length > 0) return undefined;
  try {
    return {
      value: concat(
        value.subarray(0, match.index),
        value.subarray(match.index + match[0].length),
      ),
      signature: Uint8Array.fromBase64(match[1] as string, {
        lastChunkHandling: "strict",
      }),
    };
  } catch {
    return undefined;
  }
}

function readKey(openSsh: string): PublicKey | undefined {
  try {
    return fromOpenSsh(openSsh);
  } catch (error) {
    if (error instanceof InvalidPublicKeyError) return undefined;
    throw error;
  }
}
