import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  scrypt,
} from "node:crypto";
import { type Bytes, concat, equal } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";

const MAGIC = new TextEncoder().encode("meshnode-identity");
const VERSION = 1;
const SALT = 16;
const NONCE = 12;
const TAG = 16;
const MAX_PEER_ID = 128;
/** Magic, version, three costs, length of the peer id. */
const HEAD = MAGIC.length + 1 + 3 + 1;

/** Costs of scrypt, for whoever guesses passphrases. */
export interface ScryptCost {
  /** Binary logarithm of N. */
  readonly logN: number;
  /** Block size. */
  readonly r: number;
  /** Parallelism. */
  readonly p: number;
}

/** What is written: about half a second and 128 MiB for each guess. */
export const SCRYPT_COST: ScryptCost = { logN: 17, r: 8, p: 1 };

/** The most memory that a file may make us take, bytes. */
const MAX_MEMORY = 512 * 1024 * 1024;
/** The most work: N · r · p. */
const MAX_WORK = 2 ** 24;

/** Why something sealed cannot be opened. */
export type SealedProblem = "SEALED_DAMAGED" | "PASSPHRASE_WRONG";

/** The error for something sealed that cannot be opened. It contains no secret. */
export class SealedError extends MeshError {
  /** Says what is wrong. */
  constructor(code: SealedProblem, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = "SealedError";
  }
}

/** The error for a passphrase that opens nothing; a changed file looks the same. */
export function wrongPassphrase(): SealedError {
  return new SealedError(
    "PASSPHRASE_WRONG",
    "The passphrase does not open it, or the file was changed.",
  );
}

/** Whether scrypt's costs are worth having, and do not exhaust the machine. */
export function checkCost({ logN, r, p }: ScryptCost): void {
  const whole = [logN, r, p].every((each) => Number.isInteger(each));
  const n = 2 ** logN;
  if (
    !whole || logN < 10 || logN > 24 || r < 1 || p < 1 ||
    128 * n * r > MAX_MEMORY || n * r * p > MAX_WORK
  ) {
    throw new SealedError(
      "SEALED_DAMAGED",
      `It asks for a passphrase hash of a cost that is not allowed (2^${logN}, ${r}, ${p}).`,
    );
  }
}

/** The key that a passphrase gives. */
export function stretch(
  passphrase: string,
  salt: Uint8Array,
  cost: ScryptCost,
  length: number,
): Promise<Bytes> {
  checkCost(cost);
  const { logN, r, p } = cost;
  const options = { N: 2 ** logN, r, p, maxmem: 2 * MAX_MEMORY };
  return new Promise<Bytes>((resolve, reject) =>
    scrypt(passphrase, salt, length, options, (error, key) => {
      if (error) reject(error);
      else resolve(concat(key));
    })
  ).catch((cause) => {
    // The platform has rules of its own about which costs go together.
    throw new SealedError(
      "SEALED_DAMAGED",
      `Its passphrase hash (2^${logN}, ${r}, ${p}) cannot be made here.`,
      { cause },
    );
  });
}

/** Whether bytes are a sealed identity, by how they begin. */
export function isSealed(bytes: Uint8Array): boolean {
  return equal(bytes.subarray(0, MAGIC.length), MAGIC);
}

/**
 * Encrypts a marshalled key: magic, version, costs, peer id, salt and nonce in
 * the clear, then AES-256-GCM of the key, which covers them all.
 */
export async function seal(
  key: { readonly peerId: string; readonly marshalled: Uint8Array },
  passphrase: string,
  cost: ScryptCost = SCRYPT_COST,
): Promise<Bytes> {
  const name = new TextEncoder().encode(key.peerId);
  const salt = randomBytes(SALT);
  const nonce = randomBytes(NONCE);
  const head = concat(
    MAGIC,
    Uint8Array.of(VERSION, cost.logN, cost.r, cost.p, name.length),
    name,
    salt,
    nonce,
  );
  const cipher = createCipheriv(
    "aes-256-gcm",
    await stretch(passphrase, salt, cost, 32),
    nonce,
  );
  cipher.setAAD(head);
  return concat(
    head,
    cipher.update(key.marshalled),
    cipher.final(),
    cipher.getAuthTag(),
  );
}

interface Parts {
  readonly head: Uint8Array;
  readonly cost: ScryptCost;
  readonly peerId: string;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly body: Uint8Array;
}

function partsOf(bytes: Uint8Array): Parts {
  const damaged = (what: string) =>
    new SealedError("SEALED_DAMAGED", `It is damaged: ${what}.`);
  if (!isSealed(bytes) || bytes.length < HEAD) {
    throw damaged("its beginning is missing");
  }
  const [version, logN, r, p, length] = bytes.subarray(
    MAGIC.length,
    HEAD,
  ) as unknown as [number, number, number, number, number];
  if (version !== VERSION) {
    throw damaged(`its version ${version} is not known`);
  }
  if (length > MAX_PEER_ID) throw damaged("its peer id is too long");
  const headLength = HEAD + length + SALT + NONCE;
  if (bytes.length <= headLength + TAG) throw damaged("it is cut off");
  const cost = { logN, r, p };
  checkCost(cost);
  const peerId = new TextDecoder("latin1").decode(
    bytes.subarray(HEAD, HEAD + length),
  );
  if (!/^[1-9A-HJ-NP-Za-km-z]+$/.test(peerId)) {
    throw damaged("its peer id is none");
  }
  return {
    head: bytes.subarray(0, headLength),
    cost,
    peerId,
    salt: bytes.subarray(HEAD + length, HEAD + length + SALT),
    nonce: bytes.subarray(HEAD + length + SALT, headLength),
    body: bytes.subarray(headLength),
  };
}

/** Whose key is sealed, as the file says: known for sure once it was opened. @throws {SealedError} */
export function sealedPeerId(bytes: Uint8Array): string {
  return partsOf(bytes).peerId;
}

/** Decrypts a sealed key. @throws {SealedError} */
export async function unseal(
  bytes: Uint8Array,
  passphrase: string,
): Promise<Bytes> {
  const { head, cost, salt, nonce, body } = partsOf(bytes);
  const decipher = createDecipheriv(
    "aes-256-gcm",
    await stretch(passphrase, salt, cost, 32),
    nonce,
  );
  decipher.setAAD(head);
  decipher.setAuthTag(body.subarray(-TAG));
  try {
    return concat(decipher.update(body.subarray(0, -TAG)), decipher.final());
  } catch {
    throw wrongPassphrase();
  }
}
