// The one place that reads and writes the secrets of accounts.
import { MeshError } from "../core/errors.ts";

/** Longest secret that is read; a mnemonic has at most 24 words. */
const MAX_BYTES = 16_384;

/** Why a secret cannot be read or kept. */
export type SecretFileProblem =
  | "SECRET_FILE_MISSING"
  | "SECRET_FILE_UNREADABLE"
  | "SECRET_FILE_EXISTS";

/** The error for a secret that cannot be read or kept. It never contains the secret. */
export class SecretFileError extends MeshError {
  /** Says which file, what is wrong and what to do. */
  constructor(
    code: SecretFileProblem,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.name = "SecretFileError";
  }
}

/**
 * The mnemonic or private key in a file.
 *
 * @param warn Is told when others can read the file.
 * @throws {SecretFileError}
 */
export async function readSecretFile(
  path: string,
  warn: (message: string) => void,
): Promise<string> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new SecretFileError(
        "SECRET_FILE_MISSING",
        `There is no key file at ${path}.`,
        { hint: "Make one with: meshnode account generate", cause },
      );
    }
    throw unreadable(path, cause);
  }
  using _ = file;
  // Looked at on the open file, so that nobody can exchange it in between.
  const { isFile, mode } = await file.stat();
  if (isFile && mode !== null && (mode & 0o077) !== 0) {
    warn(
      `warning: The key file ${path} can be used by others (mode ${
        (mode & 0o777).toString(8).padStart(4, "0")
      }); close it with: chmod 600 ${path}`,
    );
  }
  return await readAll(file, path);
}

/**
 * The mnemonic or private key that standard input or the pipe of a descriptor
 * gives.
 *
 * @throws {SecretFileError}
 */
export async function readSecretDescriptor(
  descriptor: number,
): Promise<string> {
  const name = `descriptor ${descriptor}`;
  if (descriptor === 0) return await readAll(Deno.stdin, name);
  try {
    using file = await Deno.open(`/dev/fd/${descriptor}`);
    return await readAll(file, name);
  } catch (cause) {
    if (cause instanceof SecretFileError) throw cause;
    // The platform lets pipes through without asking for all permissions.
    if (cause instanceof Deno.errors.NotCapable) {
      throw unreadable(name, "it is not standard input, and no pipe");
    }
    throw unreadable(name, cause);
  }
}

/** Writes a secret where there is no file yet, for its owner alone. @throws {SecretFileError} */
export async function writeSecretFile(
  path: string,
  secret: string,
): Promise<void> {
  try {
    using file = await Deno.open(path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    const bytes = new TextEncoder().encode(`${secret}\n`);
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
    await file.sync();
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new SecretFileError(
        "SECRET_FILE_EXISTS",
        `There is already a file at ${path}; it was left as it is.`,
        {
          hint: "Choose another path: a lost key cannot be made again.",
          cause,
        },
      );
    }
    throw unreadable(path, cause);
  }
}

async function readAll(
  from: { read(into: Uint8Array): Promise<number | null> },
  name: string,
): Promise<string> {
  const bytes = new Uint8Array(MAX_BYTES + 1);
  let length = 0;
  for (;;) {
    const read = await from.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
    if (length > MAX_BYTES) throw unreadable(name, "it is too long for a key");
  }
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    return decoder.decode(bytes.subarray(0, length)).trim();
  } catch {
    // The cause would quote the bytes.
    throw unreadable(name, "it is no text");
  }
}

function unreadable(name: string, cause: unknown): SecretFileError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SecretFileError(
    "SECRET_FILE_UNREADABLE",
    `The key in ${name} cannot be used: ${why.replace(/\.$/, "")}.`,
    cause instanceof Error ? { cause } : {},
  );
}
