import { loggerOf } from "../../core/log.ts";

/** Most metadata kept; a chain has a new one with each upgrade only. */
const MOST_KEPT = 8;
const SUFFIX = ".metadata";

/**
 * Metadata on disk, so that a start need not load half a megabyte. What cannot
 * be read or written costs time and nothing else.
 */
export class MetadataCache {
  readonly #folder: string | undefined;
  readonly #log = loggerOf("chain");

  /** Keeps files in a folder, which is made when needed; nothing without one. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** The metadata of a name, hex with `0x`. */
  async read(name: string): Promise<`0x${string}` | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      const file = await Deno.open(`${this.#folder}/${name}${SUFFIX}`);
      const text = await new Response(
        file.readable.pipeThrough(new DecompressionStream("gzip")),
      ).text();
      return /^0x[0-9a-f]+$/.test(text) ? text as `0x${string}` : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps metadata under a name, and forgets the oldest of many. */
  async write(name: string, metadata: `0x${string}`): Promise<void> {
    if (this.#folder === undefined) return;
    const path = `${this.#folder}/${name}${SUFFIX}`;
    const half = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(this.#folder, { recursive: true });
      const zipped = new Blob([metadata]).stream()
        .pipeThrough(new CompressionStream("gzip"));
      await Deno.writeFile(half, zipped);
      // Another process never sees half a file.
      await Deno.rename(half, path);
      await this.#forgetOldest(this.#folder);
    } catch (error) {
      await Deno.remove(half).catch(() => {});
      this.#log.debug("The chain's metadata cannot be kept: {error}", {
        error,
      });
    }
  }

  async #forgetOldest(folder: string): Promise<void> {
    const files: { path: string; age: number }[] = [];
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (!isFile || !name.endsWith(SUFFIX)) continue;
      const path = `${folder}/${name}`;
      const { mtime } = await Deno.stat(path);
      files.push({ path, age: mtime?.getTime() ?? 0 });
    }
    files.sort((a, b) => b.age - a.age);
    for (const { path } of files.slice(MOST_KEPT)) await Deno.remove(path);
  }
}
