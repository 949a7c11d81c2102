import { dirname } from "node:path";
import { MeshError } from "../core/errors.ts";
import { type Identity, identityFromMarshalled } from "./identity.ts";
import { isSealed, SealedError, sealedPeerId, unseal } from "./sealed.ts";

/** Largest identity file read: an RSA key of 8192 bits takes about 4.7 kB. */
const MAX_BYTES = 16_384;

/** Why an identity file cannot be used. */
export type IdentityFileProblem =
  | "IDENTITY_MISSING"
  | "IDENTITY_EXISTS"
  | "IDENTITY_EXPOSED"
  | "IDENTITY_DAMAGED"
  | "IDENTITY_SEALED"
  | "IDENTITY_UNREADABLE";

/** The error for an identity file that cannot be used; nothing was changed. */
export class IdentityFileError extends MeshError {
  /** Says which file, what is wrong and what to do. */
  constructor(
    code: IdentityFileProblem,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.name = "IdentityFileError";
  }
}

/**
 * Reads an identity file.
 *
 * @param passphrase Is asked for one when the file is encrypted, with its peer id.
 * @throws {IdentityFileError} when it is missing, not a regular file, readable
 * by others than its owner, or does not hold one undamaged key.
 * @throws {SealedError} `PASSPHRASE_WRONG`
 */
export async function readIdentityFile(
  path: string,
  passphrase?: (peerId: string) => Promise<string>,
): Promise<Identity> {
  const bytes = await readPrivateFile(path);
  let given: string | undefined;
  if (isSealed(bytes)) {
    const peerId = whole(path, () => sealedPeerId(bytes));
    given = await passphrase?.(peerId);
    if (given === undefined) {
      throw new IdentityFileError(
        "IDENTITY_SEALED",
        `The identity file ${path} is encrypted.`,
        { hint: "Give its passphrase with --passphrase-file." },
      );
    }
  }
  try {
    const key = given === undefined ? bytes : await unseal(bytes, given);
    return identityFromMarshalled(key);
  } catch (cause) {
    if (cause instanceof SealedError && cause.code === "PASSPHRASE_WRONG") {
      throw cause;
    }
    return whole(path, () => {
      throw cause;
    });
  }
}

/** Whose identity a file holds, without opening it; `undefined` when it is not encrypted. @throws {IdentityFileError} */
export async function sealedIdentityFile(
  path: string,
): Promise<string | undefined> {
  const bytes = await readPrivateFile(path);
  return isSealed(bytes) ? whole(path, () => sealedPeerId(bytes)) : undefined;
}

function whole<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new IdentityFileError(
      "IDENTITY_DAMAGED",
      `The identity file ${path} cannot be used. ${
        cause instanceof Error ? cause.message : ""
      }`.trim(),
      {
        hint:
          "Restore it from a backup, or make a new identity under another name with: meshnode key generate --output <file>",
        cause,
      },
    );
  }
}

/** The bytes of a key file that its owner alone can read. @throws {IdentityFileError} */
export async function readPrivateFile(path: string): Promise<Uint8Array> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new IdentityFileError(
        "IDENTITY_MISSING",
        `There is no identity file at ${path}.`,
        {
          hint: `Make one with: meshnode key generate --output ${path}`,
          cause,
        },
      );
    }
    throw unreadable(path, cause);
  }
  using _ = file;
  // Checked on the open file, so that nobody can exchange it in between.
  const { isFile, mode, size } = await file.stat();
  if (!isFile) throw unreadable(path, "it is not a regular file");
  if (mode !== null && (mode & 0o077) !== 0) {
    throw new IdentityFileError(
      "IDENTITY_EXPOSED",
      `The identity file ${path} can be used by others (mode ${
        (mode & 0o777).toString(8).padStart(4, "0")
      }), so its key may be known to them.`,
      { hint: `If you trust it still, close it with: chmod 600 ${path}` },
    );
  }
  if (size > MAX_BYTES) throw unreadable(path, `it has ${size} bytes`);
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

function unreadable(path: string, cause: unknown): IdentityFileError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new IdentityFileError(
    "IDENTITY_UNREADABLE",
    `The identity file ${path} cannot be read: ${why}.`,
    { cause },
  );
}

/**
 * Writes an identity file with mode 0600, whole or not at all.
 *
 * @throws {IdentityFileError} `IDENTITY_EXISTS` when there is a file and
 * `overwrite` was not asked for.
 */
export async function writeIdentityFile(
  path: string,
  identity: Pick<Identity, "marshalled">,
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  await writePrivateFile(path, identity.marshalled, options);
}

/** Writes a key file with mode 0600, whole or not at all. @throws {IdentityFileError} `IDENTITY_EXISTS` */
export async function writePrivateFile(
  path: string,
  bytes: Uint8Array,
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, {
        write: true,
        createNew: true,
        mode: 0o600,
      });
      for (let at = 0; at < bytes.length;) {
        at += await file.write(bytes.subarray(at));
      }
      await file.sync();
    }
    if (options.overwrite) return await Deno.rename(temporary, path);
    // Unlike rename, link fails where a file exists already.
    await Deno.link(temporary, path);
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new IdentityFileError(
        "IDENTITY_EXISTS",
        `There is already a file at ${path}; it was left as it is.`,
        {
          hint: "Choose another path, or overwrite it for good with --force",
          cause,
        },
      );
    }
    throw cause;
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}
