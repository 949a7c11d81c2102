import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  randomBytes,
} from "node:crypto";
import { type Bytes, concat, equal, fromHex } from "../core/bytes.ts";
import {
  checkCost,
  SCRYPT_COST,
  type ScryptCost,
  SealedError,
  stretch,
  wrongPassphrase,
} from "./sealed.ts";

/** Longest keystore file that is read, characters. */
const MAX_TEXT = 16_384;
/** Most rounds of PBKDF2 that a file may ask for. */
const MAX_ROUNDS = 10_000_000;

/** An account's key in standard Web3 secret storage, version 3. */
export interface Keystore {
  /** The account, lower-case hex with `0x`, as the file says; it need not say. */
  readonly address: string | undefined;
  /** How the passphrase becomes a key. */
  readonly kdf:
    | { readonly name: "scrypt"; readonly cost: ScryptCost }
    | { readonly name: "pbkdf2"; readonly rounds: number };
  /** Salt of the passphrase. */
  readonly salt: Uint8Array;
  /** Counter block of AES-128. */
  readonly iv: Uint8Array;
  /** The encrypted private key. */
  readonly ciphertext: Uint8Array;
  /** Keccak-256 of half the stretched passphrase and the ciphertext. */
  readonly mac: Uint8Array;
}

/** Whether a text is to be read as a keystore. */
export function isKeystore(text: string): boolean {
  return text.trimStart().startsWith("{");
}

/** Reads a keystore file. @throws {SealedError} */
export function parseKeystore(text: string): Keystore {
  if (text.length > MAX_TEXT) throw damaged("it is too long");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The cause would quote the file.
    throw damaged("it is no JSON");
  }
  const file = fields(json);
  if (file["version"] !== 3) throw damaged("its version is not 3");
  // Some programs write the name with a capital letter.
  const crypto = fields(file["crypto"] ?? file["Crypto"]);
  if (crypto["cipher"] !== "aes-128-ctr") {
    throw damaged("its cipher is not aes-128-ctr");
  }
  const params = fields(crypto["kdfparams"]);
  if (params["dklen"] !== 32) throw damaged("its dklen is not 32");
  const { address } = file;
  if (address !== undefined && typeof address !== "string") {
    throw damaged("its address is no text");
  }
  const account = address?.toLowerCase().replace(/^0x/, "");
  if (account !== undefined && !/^[0-9a-f]{40}$/.test(account)) {
    throw damaged("its address is no account");
  }
  return {
    address: account && `0x${account}`,
    kdf: kdfOf(crypto["kdf"], params),
    salt: bytes(params["salt"], 1, 256),
    iv: bytes(fields(crypto["cipherparams"])["iv"], 16, 16),
    ciphertext: bytes(crypto["ciphertext"], 32, 32),
    mac: bytes(crypto["mac"], 32, 32),
  };
}

/** Decrypts the private key, 32 bytes. @throws {SealedError} */
export async function openKeystore(
  { kdf, salt, iv, ciphertext, mac }: Keystore,
  passphrase: string,
): Promise<Bytes> {
  const key = kdf.name === "scrypt"
    ? await scryptOf(passphrase, salt, kdf.cost)
    : await rounds(passphrase, salt, kdf.rounds);
  if (!equal(await macOf(key, ciphertext), mac)) throw wrongPassphrase();
  const decipher = createDecipheriv("aes-128-ctr", key.subarray(0, 16), iv);
  return concat(decipher.update(ciphertext), decipher.final());
}

/** The text of a keystore file of a private key. */
export async function sealKeystore(
  secret: Uint8Array,
  address: string,
  passphrase: string,
  cost: ScryptCost = SCRYPT_COST,
): Promise<string> {
  if (secret.length !== 32) throw damaged("a private key has 32 bytes");
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const key = await stretch(passphrase, salt, cost, 32);
  const cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), iv);
  const ciphertext = concat(cipher.update(secret), cipher.final());
  const mac = await macOf(key, ciphertext);
  const { logN, r, p } = cost;
  return JSON.stringify({
    version: 3,
    id: crypto.randomUUID(),
    address: address.toLowerCase().replace(/^0x/, ""),
    crypto: {
      cipher: "aes-128-ctr",
      cipherparams: { iv: iv.toHex() },
      ciphertext: ciphertext.toHex(),
      kdf: "scrypt",
      kdfparams: { dklen: 32, n: 2 ** logN, r, p, salt: salt.toHex() },
      mac: mac.toHex(),
    },
  });
}

async function scryptOf(
  passphrase: string,
  salt: Uint8Array,
  cost: ScryptCost,
): Promise<Bytes> {
  const { logN, r, p } = cost;
  if (logN < 16 * r) return await stretch(passphrase, salt, cost, 32);
  // The platform refuses what files of others have: a large N with a small r.
  const { scryptEncode } = await import("@polkadot/util-crypto");
  const params = { N: 2 ** logN, r, p } as Parameters<typeof scryptEncode>[2];
  const { password } = scryptEncode(passphrase, salt, params, true);
  return concat(password.subarray(0, 32));
}

async function macOf(key: Bytes, ciphertext: Uint8Array): Promise<Uint8Array> {
  // Loaded only where it is used: it is large.
  const { keccakAsU8a } = await import("@polkadot/util-crypto");
  return keccakAsU8a(concat(key.subarray(16, 32), ciphertext));
}

function rounds(
  passphrase: string,
  salt: Uint8Array,
  count: number,
): Promise<Bytes> {
  return new Promise((resolve, reject) =>
    pbkdf2(passphrase, salt, count, 32, "sha256", (error, key) => {
      if (error) reject(error);
      else resolve(concat(key));
    })
  );
}

function kdfOf(
  name: unknown,
  params: Readonly<Record<string, unknown>>,
): Keystore["kdf"] {
  const number = (key: string) => {
    const value = params[key];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) {
      return value;
    }
    throw damaged(`its ${key} is no number`);
  };
  if (name === "scrypt") {
    const logN = Math.log2(number("n"));
    const cost = { logN, r: number("r"), p: number("p") };
    checkCost(cost);
    return { name, cost };
  }
  if (name !== "pbkdf2" || params["prf"] !== "hmac-sha256") {
    throw damaged("its kdf is neither scrypt nor pbkdf2 with hmac-sha256");
  }
  const count = number("c");
  if (count > MAX_ROUNDS) throw damaged("it asks for too many rounds");
  return { name, rounds: count };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw damaged("a part is missing");
}

function bytes(value: unknown, least: number, most: number): Uint8Array {
  if (typeof value === "string" && /^(?:[0-9a-fA-F]{2})*$/.test(value)) {
    const found = fromHex(value);
    if (found.length >= least && found.length <= most) return found;
  }
  throw damaged("a part is no hex of the right length");
}

function damaged(what: string): SealedError {
  return new SealedError(
    "SEALED_DAMAGED",
    `It is no key in Web3 secret storage that can be used: ${what}.`,
  );
}
