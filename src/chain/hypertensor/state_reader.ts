import type { Codec } from "@polkadot/types/types";
import { compactFromU8aLim, hexToU8a } from "@polkadot/util";
import { raceSignal } from "../../core/deadline.ts";
import { ChainUnreadableError } from "../errors.ts";
import type { BlockRef } from "../types.ts";
import { JsonRpcError } from "./connection.ts";
import type { Runtime } from "./runtime.ts";

/** Where answers come from. */
export interface Source {
  /** Asks the chain's endpoint. */
  ask(method: string, params: readonly unknown[]): Promise<unknown>;
}

/** Options of a read. */
export interface ReaderOptions {
  /** Ends the wait; the answer may still be remembered. */
  readonly signal?: AbortSignal | undefined;
}

/** A call of the chain's runtime API, and the same of its node's own RPC. */
export interface ApiCall {
  /** Name in the pallet's runtime API, such as `proof_of_stake`. */
  readonly name: string;
  /** SCALE bytes of the arguments, hex with `0x`. */
  readonly args: `0x${string}`;
  /** The arguments as the node's own RPC wants them. */
  readonly rpcArgs: readonly unknown[];
}

/** What was answered at a block, to be read again without the chain. */
export interface RememberedState {
  /** The block. */
  readonly block: BlockRef;
  /** The runtime. */
  readonly runtime: Runtime;
  /** Answers by question. */
  readonly answers: ReadonlyMap<string, unknown>;
}

type Hex = `0x${string}`;

const METHOD_NOT_FOUND = -32601;
const PAGE = 256;
/** Most entries of one map that are read; a subnet has at most 256 nodes. */
const MOST_ENTRIES = 8_192;
const MOST_REMEMBERED = 16_384;

/**
 * Reads the chain's state at one block. Each question is asked once, whoever
 * asks it, so that all parts of a node share what they read.
 */
export class StateReader {
  readonly #source: Source | undefined;
  readonly #answers = new Map<string, Promise<unknown>>();
  /** The block. */
  readonly block: BlockRef;
  /** The runtime that explains the state. */
  readonly runtime: Runtime;

  /** Reads at a block; without a source only what is remembered already. */
  constructor(block: BlockRef, runtime: Runtime, source: Source | undefined) {
    this.block = block;
    this.runtime = runtime;
    this.#source = source;
  }

  /** Reads what was remembered of an earlier run. */
  static stale({ block, runtime, answers }: RememberedState): StateReader {
    const reader = new StateReader(block, runtime, undefined);
    for (const [question, answer] of answers) {
      reader.#answers.set(question, Promise.resolve(answer));
    }
    return reader;
  }

  /** Whether the answers are of an earlier run. */
  get stale(): boolean {
    return this.#source === undefined;
  }

  /** What was answered so far. */
  async remembered(): Promise<RememberedState> {
    const answers = new Map<string, unknown>();
    for (const [question, answer] of [...this.#answers]) {
      try {
        answers.set(question, await answer);
      } catch {
        // It was not answered.
      }
    }
    return { block: this.block, runtime: this.runtime, answers };
  }

  /**
   * One value of the storage; `undefined` when there is none and no default.
   *
   * @throws {ChainUnreadableError}
   */
  async get(
    pallet: string,
    item: string,
    args: readonly unknown[] = [],
    options: ReaderOptions = {},
  ): Promise<Codec | undefined> {
    const [value] = await this.getMany(pallet, item, [args], options);
    return value;
  }

  /** Values of one map under many keys, in their order. @throws {ChainUnreadableError} */
  async getMany(
    pallet: string,
    item: string,
    keys: readonly (readonly unknown[])[],
    options: ReaderOptions = {},
  ): Promise<(Codec | undefined)[]> {
    const { storage } = this.runtime;
    const answers = await this.#values(
      keys.map((args) => storage.key(pallet, item, ...args)),
      options,
    );
    return answers.map((answer) => storage.decode(pallet, item, answer));
  }

  /** All values of a map under the first of its keys. @throws {ChainUnreadableError} */
  async entries(
    pallet: string,
    item: string,
    prefix: readonly unknown[],
    options: ReaderOptions = {},
  ): Promise<Codec[]> {
    const { storage } = this.runtime;
    const start = storage.prefix(pallet, item, ...prefix);
    const keys = await raceSignal(
      this.#remember(`keys ${start}`, () => this.#keysUnder(start)),
      options.signal,
    ) as Hex[];
    const answers = await this.#values(keys, options);
    return answers.flatMap((answer) =>
      answer === null ? [] : storage.decode(pallet, item, answer) ?? []
    );
  }

  /** The bytes that a runtime API answers, without their length. @throws {ChainUnreadableError} */
  async callBytes(
    call: ApiCall,
    options: ReaderOptions = {},
  ): Promise<Uint8Array> {
    const answer = await this.#call(call, options);
    if (Array.isArray(answer)) {
      if (
        answer.every((each) =>
          Number.isInteger(each) && each >= 0 && each < 256
        )
      ) {
        return Uint8Array.from(answer);
      }
    } else if (isHex(answer)) {
      const bytes = hexToU8a(answer);
      const [head, length] = compactFromU8aLim(bytes);
      if (bytes.length === head + length) return bytes.subarray(head);
    }
    throw new ChainUnreadableError(
      `The chain's answer to ${call.name} is no byte string.`,
    );
  }

  /** Yes or no from a runtime API. @throws {ChainUnreadableError} */
  async callBoolean(
    call: ApiCall,
    options: ReaderOptions = {},
  ): Promise<boolean> {
    const answer = await this.#call(call, options);
    if (answer === "0x01" || answer === true) return true;
    if (answer === "0x00" || answer === false) return false;
    throw new ChainUnreadableError(
      `The chain's answer to ${call.name} is neither yes nor no.`,
    );
  }

  #call(
    { name, args, rpcArgs }: ApiCall,
    { signal }: ReaderOptions,
  ): Promise<unknown> {
    const method = `NetworkRuntimeApi_${name}`;
    return raceSignal(
      this.#remember(`call ${method} ${args}`, async () => {
        try {
          return await this.#ask("state_call", [method, args]);
        } catch (error) {
          if (!isMissing(error)) throw error;
          // The node's own RPC names the same in another way.
          const camel = name.replace(/_(\w)/g, (_, c) => c.toUpperCase());
          return await this.#ask(`network_${camel}`, rpcArgs);
        }
      }),
      signal,
    );
  }

  /** Raw values, several questions in one message. */
  async #values(
    keys: readonly Hex[],
    { signal }: ReaderOptions,
  ): Promise<(Hex | null)[]> {
    const unknown = keys.filter((key) => !this.#answers.has(`value ${key}`));
    const found = new Map<Hex, Promise<unknown>>();
    for (let at = 0; at < unknown.length; at += PAGE) {
      const chunk = unknown.slice(at, at + PAGE);
      const asked = this.#askValues(chunk);
      chunk.forEach((key, i) =>
        found.set(
          key,
          this.#remember(`value ${key}`, async () => (await asked)[i]),
        )
      );
    }
    const answers = keys.map((key) =>
      found.get(key) ?? this.#answers.get(`value ${key}`)
    );
    return await raceSignal(Promise.all(answers), signal) as (Hex | null)[];
  }

  async #askValues(keys: readonly Hex[]): Promise<(Hex | null)[]> {
    if (keys.length > 1) {
      try {
        return changesOf(await this.#ask("state_queryStorageAt", [keys]), keys);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return await Promise.all(keys.map(async (key) => {
      const answer = await this.#ask("state_getStorage", [key]);
      if (answer === null || isHex(answer)) return answer;
      throw new ChainUnreadableError("A value of the chain is no hex text.");
    }));
  }

  async #keysUnder(prefix: Hex): Promise<Hex[]> {
    const keys: Hex[] = [];
    for (let last: Hex = prefix;;) {
      const page = await this.#ask("state_getKeysPaged", [prefix, PAGE, last]);
      if (
        !Array.isArray(page) || page.length > PAGE ||
        !page.every((key) => isHex(key) && key.startsWith(prefix) && key > last)
      ) {
        throw new ChainUnreadableError("A list of the chain's keys is none.");
      }
      keys.push(...page as Hex[]);
      if (keys.length > MOST_ENTRIES) {
        throw new ChainUnreadableError(
          `A map of the chain has more than ${MOST_ENTRIES} entries.`,
        );
      }
      if (page.length < PAGE) return keys;
      last = page.at(-1) as Hex;
    }
  }

  /** Asks at our block. */
  async #ask(method: string, params: readonly unknown[]): Promise<unknown> {
    const { number, hash } = this.block;
    if (this.#source === undefined) throw this.#unread(method);
    try {
      return await this.#source.ask(method, [...params, hash]);
    } catch (cause) {
      if (!(cause instanceof JsonRpcError)) throw cause;
      if (isMissing(cause)) throw cause;
      throw new ChainUnreadableError(
        `Block ${number} cannot be read: ${cause.message}`,
        { cause },
      );
    }
  }

  /** The answer to a question; one that failed is asked anew the next time. */
  #remember(question: string, ask: () => Promise<unknown>): Promise<unknown> {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = ask().catch((error) => {
      this.#answers.delete(question);
      throw error instanceof JsonRpcError
        ? new ChainUnreadableError(error.message, { cause: error })
        : error;
    });
    if (this.#answers.size < MOST_REMEMBERED) {
      this.#answers.set(question, answer);
    }
    return answer;
  }

  #unread(what: string): ChainUnreadableError {
    return new ChainUnreadableError(
      `The chain is away, and ${what} is not known from before.`,
      { hint: "Check the chain's endpoint." },
    );
  }
}

/** The values of an answer to `state_queryStorageAt`, in the keys' order. */
function changesOf(answer: unknown, keys: readonly Hex[]): (Hex | null)[] {
  const first: unknown = Array.isArray(answer) ? answer[0] : undefined;
  const changes = (Object(first) as Record<string, unknown>)["changes"];
  if (Array.isArray(changes) && changes.length <= keys.length) {
    const values = new Map<unknown, unknown>(
      changes.map((change) =>
        Array.isArray(change) ? [change[0], change[1]] : []
      ) as [unknown, unknown][],
    );
    const found = keys.map((key) => values.get(key));
    if (found.every((each) => each === null || isHex(each))) {
      return found as (Hex | null)[];
    }
  }
  throw new ChainUnreadableError("The chain's values are not what was asked.");
}

function isHex(value: unknown): value is Hex {
  return typeof value === "string" && /^0x(?:[0-9a-f]{2})*$/.test(value);
}

function isMissing(error: unknown): boolean {
  return error instanceof JsonRpcError && error.number === METHOD_NOT_FOUND;
}
