import { loggerOf } from "../../core/log.ts";
import type { BlockRef } from "../types.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { keptRuntime, type RuntimeId } from "./runtime.ts";
import type { RememberedState, StateReader } from "./state_reader.ts";

const NAME = "last-state.json";
/** Largest file that is read or written, characters. */
const LARGEST = 8 * 1024 * 1024;

interface Saved {
  readonly version: 1;
  readonly endpoint: string;
  readonly block: BlockRef;
  readonly runtime: RuntimeId;
  readonly answers: readonly (readonly [string, unknown])[];
}

/**
 * The last good state of the chain on the disk, by which a node starts while
 * the chain is away. It is used only with an endpoint that it came from.
 */
export class SavedStateFile {
  readonly #folder: string | undefined;
  readonly #endpoints: readonly string[];
  readonly #cache: MetadataCache;
  readonly #log = loggerOf("chain");
  /** What was saved by an earlier run. */
  state: RememberedState | undefined;

  /** Lives in a folder; nothing is kept without one. */
  constructor(
    folder: string | undefined,
    endpoints: readonly string[],
    cache: MetadataCache,
  ) {
    this.#folder = folder;
    this.#endpoints = endpoints;
    this.#cache = cache;
  }

  /** Reads what an earlier run saved; what cannot be used is as good as none. */
  async load(): Promise<void> {
    if (this.#folder === undefined) return;
    try {
      const path = `${this.#folder}/${NAME}`;
      if ((await Deno.stat(path)).size > LARGEST) return;
      const saved = check(JSON.parse(await Deno.readTextFile(path)));
      if (!this.#endpoints.includes(saved.endpoint)) return;
      const runtime = await keptRuntime(saved.runtime, this.#cache);
      if (runtime === undefined) return;
      const { block, answers } = saved;
      this.state = { block, runtime, answers: new Map(answers) };
    } catch (error) {
      this.#log.debug("There is no earlier state of the chain: {error}", {
        error,
      });
    }
  }

  /** Saves what a reader was answered. */
  async save(reader: StateReader, endpoint: string): Promise<void> {
    if (this.#folder === undefined) return;
    const { block, runtime, answers } = await reader.remembered();
    if (answers.size === 0) return;
    const saved: Saved = {
      version: 1,
      endpoint,
      block,
      runtime: runtime.id,
      answers: [...answers],
    };
    const text = JSON.stringify(saved);
    if (text.length > LARGEST) return;
    const half = `${this.#folder}/${NAME}.${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(this.#folder, { recursive: true });
      await Deno.writeTextFile(half, text);
      await Deno.rename(half, `${this.#folder}/${NAME}`);
    } catch (error) {
      await Deno.remove(half).catch(() => {});
      this.#log.warn("The chain's state cannot be saved: {error}", { error });
    }
  }
}

function check(value: unknown): Saved {
  const saved = Object(value) as Partial<Saved>;
  const { block, runtime, answers } = saved;
  if (
    saved.version === 1 && typeof saved.endpoint === "string" &&
    Number.isSafeInteger(block?.number) && isHash(block?.hash) &&
    isHash(runtime?.genesis) && Number.isSafeInteger(runtime?.specVersion) &&
    Number.isSafeInteger(runtime?.transactionVersion) &&
    typeof runtime?.code === "string" && Array.isArray(answers) &&
    answers.every((pair) =>
      Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string"
    )
  ) return saved as Saved;
  throw new TypeError("The file is no saved state.");
}

function isHash(value: unknown): boolean {
  return typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value);
}
