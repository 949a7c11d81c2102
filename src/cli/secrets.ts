// The one place that asks for passphrases and opens keys.
import { MeshError } from "../core/errors.ts";
import {
  type Identity,
  isKeystore,
  lockKey,
  openKeystore,
  parseKeystore,
  readIdentityFile,
} from "../identity/mod.ts";
import type { Options, Parsed } from "./args.ts";
import { usageError } from "./args.ts";
import { type Prompt, terminalPrompt } from "./prompt.ts";
import { readSecretFile } from "./secret_file.ts";

/** Longest passphrase file, bytes. */
const MAX_BYTES = 4_096;

/** Where a passphrase comes from, besides the terminal. */
export const PASSPHRASE_OPTIONS: Options = {
  "passphrase-file": {
    value: "FILE",
    help: "The passphrase is the first line of this file.",
  },
  "passphrase-fd": {
    value: "N",
    help: "The passphrase is the first line of this open descriptor.",
  },
};

/** The error for a passphrase that cannot be had. It never contains it. */
export class PassphraseError extends MeshError {
  /** Says why. */
  constructor(message: string, hint: string) {
    super("PASSPHRASE_MISSING", message, { hint });
    this.name = "PassphraseError";
  }
}

/** Passphrases of one command: from a file, a descriptor, or the person at the terminal. */
export class Passphrases {
  readonly #file: string | undefined;
  readonly #descriptor: number | undefined;
  readonly #prompt: Prompt;
  readonly #warn: (line: string) => void;
  #read: Promise<string> | undefined;

  /** Reads nothing yet. `warn` is told when others can read the file. */
  constructor(
    args: Parsed,
    warn: (line: string) => void,
    prompt: Prompt = terminalPrompt(),
  ) {
    this.#file = args.text("passphrase-file");
    this.#descriptor = args.text("passphrase-fd") === undefined
      ? undefined
      : args.integer("passphrase-fd", 0, 1_023);
    if (this.#file !== undefined && this.#descriptor !== undefined) {
      throw usageError(
        "The passphrase is given twice.",
        "Give either --passphrase-file or --passphrase-fd.",
      );
    }
    this.#prompt = prompt;
    this.#warn = warn;
  }

  /** Whether a passphrase was given without a question. */
  get given(): boolean {
    return this.#file !== undefined || this.#descriptor !== undefined;
  }

  /** The passphrase of something that has one. @throws {PassphraseError} */
  existing(what: string): Promise<string> {
    return this.#given() ?? this.#ask(`Passphrase of ${what}`);
  }

  /** The passphrase for something that is made; asked for twice. @throws {PassphraseError} */
  async fresh(what: string): Promise<string> {
    const given = this.#given();
    const passphrase = await (given ?? this.#ask(`New passphrase for ${what}`));
    if (passphrase === "") {
      throw new PassphraseError(
        "An empty passphrase protects nothing.",
        "Choose a longer one.",
      );
    }
    if (given === undefined && await this.#ask("Once more") !== passphrase) {
      throw new PassphraseError(
        "The two passphrases differ; nothing was done.",
        "Try again.",
      );
    }
    return passphrase;
  }

  #given(): Promise<string> | undefined {
    // Read once: a pipe gives it only once.
    if (this.#file !== undefined) this.#read ??= this.#fromFile(this.#file);
    if (this.#descriptor !== undefined) {
      this.#read ??= fromDescriptor(this.#descriptor);
    }
    return this.#read;
  }

  #ask(question: string): Promise<string> {
    if (this.#prompt.interactive) return this.#prompt.secret(question);
    return Promise.reject(
      new PassphraseError(
        "A passphrase is needed, and there is nobody to ask.",
        "Give it with --passphrase-file or --passphrase-fd.",
      ),
    );
  }

  async #fromFile(path: string): Promise<string> {
    using file = await opened(path, path);
    const { mode, isFile } = await file.stat();
    if (isFile && mode !== null && (mode & 0o077) !== 0) {
      this.#warn(
        `warning: The passphrase file ${path} can be read by others; ` +
          `close it with: chmod 600 ${path}`,
      );
    }
    return await firstLine(file, path);
  }
}

/** The keys that a running node uses, which no other process may use meanwhile. */
export class RunKeys implements Disposable {
  readonly #locks = new DisposableStack();
  /** The peer's key. */
  readonly identity: Identity;
  /** The hotkey's private key or mnemonic; absent when none was named. */
  readonly hotkey: string | undefined;

  private constructor(
    identity: Identity,
    hotkey: string | undefined,
    locks: DisposableStack,
  ) {
    this.identity = identity;
    this.hotkey = hotkey;
    this.#locks = locks;
  }

  /**
   * Opens the key files that the arguments name.
   *
   * @throws {KeyInUseError} when another process uses one of them.
   */
  static async open(
    args: Parsed,
    warn: (line: string) => void,
  ): Promise<RunKeys> {
    const passphrases = new Passphrases(args, warn);
    const path = args.text("identity") as string;
    const hotkeyPath = args.text("hotkey");
    using locks = new DisposableStack();
    const identity = await readIdentityFile(
      path,
      (peerId) => passphrases.existing(`${path} (peer ${peerId})`),
    );
    locks.use(await lockKey(path));
    let hotkey: string | undefined;
    if (hotkeyPath !== undefined) {
      const text = await readSecretFile(hotkeyPath, warn);
      locks.use(await lockKey(hotkeyPath));
      hotkey = await accountSecret(text, hotkeyPath, passphrases);
    }
    return new RunKeys(identity, hotkey, locks.move());
  }

  /** Lets other processes use the keys. */
  [Symbol.dispose](): void {
    this.#locks.dispose();
  }
}

/**
 * The private key or mnemonic that the text of a key file holds: as it is, or
 * decrypted when it is a keystore.
 *
 * @throws {SealedError} | {PassphraseError}
 */
export async function accountSecret(
  text: string,
  path: string,
  passphrases: Passphrases,
): Promise<string> {
  if (!isKeystore(text)) return text.trim();
  const keystore = parseKeystore(text);
  const passphrase = await passphrases.existing(
    keystore.address === undefined ? path : `${path} (${keystore.address})`,
  );
  return `0x${(await openKeystore(keystore, passphrase)).toHex()}`;
}

async function fromDescriptor(descriptor: number): Promise<string> {
  const name = `descriptor ${descriptor}`;
  if (descriptor === 0) return await firstLine(Deno.stdin, name);
  using file = await opened(`/dev/fd/${descriptor}`, name);
  return await firstLine(file, name);
}

async function opened(path: string, name: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true });
  } catch (cause) {
    // The platform lets pipes through, and nothing else without all permissions.
    const denied = cause instanceof Deno.errors.NotCapable;
    if (denied && path === name) throw cause;
    const why = denied
      ? "it is neither standard input nor a pipe"
      : cause instanceof Error
      ? cause.message
      : cause;
    throw new PassphraseError(
      `The secret in ${name} cannot be read: ${why}.`,
      "Check that it is there and may be read.",
    );
  }
}

type Source = { read(into: Uint8Array): Promise<number | null> };

async function firstLine(source: Source, name: string): Promise<string> {
  const text = await readText(source, name);
  return text.split(/\r?\n/, 1)[0] as string;
}

async function readText(source: Source, name: string): Promise<string> {
  const bytes = new Uint8Array(MAX_BYTES + 1);
  let length = 0;
  for (;;) {
    const read = await source.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
    if (length > MAX_BYTES) break;
  }
  try {
    if (length > MAX_BYTES) throw new Error("too long");
    const decoder = new TextDecoder("utf-8", { fatal: true });
    return decoder.decode(bytes.subarray(0, length));
  } catch {
    throw new PassphraseError(
      `What ${name} holds is no short text.`,
      "A secret is one line of text.",
    );
  }
}
