import { loggerOf } from "../../core/log.ts";
import { ChainUnreadableError } from "../errors.ts";
import type { BlockRef } from "../types.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { keptRuntime, type RuntimeId } from "./runtime.ts";
import type { RememberedState, StateReader } from "./state_reader.ts";

const NAME = "last-state.json";
/** Largest file that is read or written, characters. */
const LARGEST = 8 * 1024 * 1024;

/** What the file holds. */
export interface SavedState {
  /** The form of the file. */
  readonly version: 1;
  /** Where it was learnt. */
  readonly endpoint: string;
  /** At which block. */
  readonly block: BlockRef;
  /** By which runtime it is to be read. */
  readonly runtime: RuntimeId;
  /** Questions and their answers. */
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
      const saved = parseSavedState(await Deno.readTextFile(path));
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
    const saved: SavedState = {
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

/** Reads the file's text. @throws {ChainUnreadableError} */
export function parseSavedState(text: string): SavedState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ChainUnreadableError("The saved state is no JSON.", { cause });
  }
  const saved = Object(value) as Partial<SavedState>;
  const { block, runtime, answers } = saved;
  if (
    saved.version === 1 && typeof saved.endpoint === "string" &&
    Number.isSafeInteger(block?.number) && isHash(block?.hash) &&
    isHash(runtime?.genesis) && Number.isSafeInteger(runtime?.specVersion) &&
    Number.isSafeInteger(runtime?.transactionVersion) &&
    typeof runtime?.code === "string" && Array.isArray(answers) &&
    answers.every((pair) =>
      Array.isArray(pair) && pair.length === 2 && isAnswer(pair[0], pair[1])
    )
  ) return saved as SavedState;
  throw new ChainUnreadableError("The file is no saved state.");
}

/** Whether an answer is of the form that readers expect of its question. */
function isAnswer(question: unknown, answer: unknown): boolean {
  if (typeof question !== "string") return false;
  if (question.startsWith("value ")) return answer === null || isHex(answer);
  if (question.startsWith("keys ")) {
    return Array.isArray(answer) && answer.every(isHex);
  }
  // The bytes of a call are checked when they are read.
  return question.startsWith("call ");
}

function isHex(value: unknown): boolean {
  return typeof value === "string" && /^0x(?:[0-9a-f]{2})*$/.test(value);
}

function isHash(value: unknown): boolean {
  return typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value);
}
