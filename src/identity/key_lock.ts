import { MeshError } from "../core/errors.ts";

/** The error for a key that another process uses. */
export class KeyInUseError extends MeshError {
  /** Names the file. */
  constructor(path: string) {
    super(
      "KEY_IN_USE",
      `The key in ${path} is in use by another process: two nodes with one ` +
        "key would speak against each other.",
      { hint: "End the other node first, or give this one a key of its own." },
    );
    this.name = "KeyInUseError";
  }
}

/**
 * Keeps other processes from using a key, until it is disposed. The kernel ends
 * it with the process, however that ends. The lock lies on the key file itself,
 * so that nothing is left behind and a read-only folder does as well.
 *
 * @throws {KeyInUseError}
 */
export async function lockKey(path: string): Promise<Disposable> {
  const file = await Deno.open(path, { read: true });
  try {
    if (await file.tryLock(true)) {
      return { [Symbol.dispose]: () => file.close() };
    }
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  throw new KeyInUseError(path);
}
