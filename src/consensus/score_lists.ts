import { createHash } from "node:crypto";
import { toJson } from "./recording.ts";

/** Where lists are kept. */
export interface ListStore {
  /** Keeps a text under a name. */
  keep(name: string, text: string): void;
  /** The text under a name. */
  kept(name: string): string | undefined;
}

/** What the names of lists begin with; an epoch and a hash follow. */
export const LIST_PREFIX = "scores/";

/** Shorter ones are not worth a name. */
const LEAST = 8;
const HASH_CHARS = 24;
/** A name in the place of a list; inside of a text its quotation marks would be escaped. */
const NAMED = /\{"named":"(scores\/\d+\/[0-9a-f]+)"\}/g;

/**
 * Writes values as JSON in which lists of scores have names: an epoch's events
 * hold the same one or two of them again and again. A list is kept once for
 * each epoch.
 */
export class ScoreLists {
  readonly #store: ListStore;
  /** Names of lists that are known by themselves. */
  #named = new WeakMap<object, string>();
  #kept = new Set<string>();
  #epoch = -1;

  /** Keeps lists in a store. */
  constructor(store: ListStore) {
    this.#store = store;
  }

  /** A value's text; what it names is kept under the epoch. */
  pack(value: unknown, epoch: number): string {
    if (epoch !== this.#epoch) this.forget();
    this.#epoch = epoch;
    return JSON.stringify(value, (key, each) => {
      if (typeof each === "bigint") return `${each}n`;
      const isList = key === "scores" && Array.isArray(each) &&
        each.length >= LEAST;
      return isList ? { named: this.#nameOf(each) } : each;
    });
  }

  /** A text with the lists in the places of their names. @throws {SyntaxError} when one is missing. */
  expand(text: string): string {
    const lists = new Map<string, string>();
    return text.replaceAll(NAMED, (_, name: string) => {
      const list = lists.get(name) ?? this.#listOf(name);
      lists.set(name, list);
      return list;
    });
  }

  /** Forgets what was kept: what kept it may not have lasted. */
  forget(): void {
    this.#named = new WeakMap();
    this.#kept = new Set();
  }

  #nameOf(list: object): string {
    const known = this.#named.get(list);
    if (known !== undefined) return known;
    const text = toJson(list);
    const hash = createHash("sha256").update(text).digest("hex");
    const name = `${LIST_PREFIX}${this.#epoch}/${hash.slice(0, HASH_CHARS)}`;
    if (!this.#kept.has(name)) this.#store.keep(name, text);
    this.#kept.add(name);
    this.#named.set(list, name);
    return name;
  }

  #listOf(name: string): string {
    const text = this.#store.kept(name);
    if (text !== undefined) return text;
    throw new SyntaxError(`The scores ${name} are missing.`);
  }
}
