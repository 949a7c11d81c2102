/** Bytes after which a log is put aside; the one before is lost. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A log file of bounded size, with one predecessor. */
export class LogFile {
  readonly #path: string;

  /** Writes to the path, and puts the older part at `path.1`. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Writes everything from a stream; a full disk loses lines, not the node. */
  async take(source: ReadableStream<Uint8Array>): Promise<void> {
    let size = await Deno.stat(this.#path).then(({ size }) => size, () => 0);
    for await (const chunk of source) {
      try {
        if (size > MAX_BYTES) {
          await Deno.rename(this.#path, `${this.#path}.1`);
          size = 0;
        }
        await Deno.writeFile(this.#path, chunk, { append: true, mode: 0o600 });
        size += chunk.length;
      } catch {
        // The next chunk may fare better.
      }
    }
  }
}
