import { type Bytes, compare, toHex } from "../core/bytes.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import { DecodeError } from "./errors.ts";
import { EXT } from "./format.ts";
import { TimedStorage } from "./timed_storage.ts";

/** One owner's value in a dictionary. */
export interface DictionaryItem {
  /** The subkey's serialized form. */
  readonly subkey: Uint8Array;
  /** The value's bytes. */
  readonly value: Uint8Array;
  /** DHT time (Unix seconds). */
  readonly expiration: number;
}

/** Whether a record takes another's place: later, or equally late and with greater bytes, so that all replicas agree. */
export function supersedes(
  next: Pick<DictionaryItem, "value" | "expiration">,
  present: Pick<DictionaryItem, "value" | "expiration">,
): boolean {
  return next.expiration > present.expiration ||
    (next.expiration === present.expiration &&
      compare(next.value, present.value) > 0);
}

/** The values of many owners under one key, each with its own expiration. */
export class Dictionary {
  readonly #items: TimedStorage<string, DictionaryItem>;

  /** `now` gives the DHT time in seconds. */
  constructor(now: () => number) {
    this.#items = new TimedStorage<string, DictionaryItem>(
      now,
      Infinity,
      supersedes,
    );
  }

  /** Live items. */
  get size(): number {
    return this.#items.size;
  }

  /** When the last live item expires, from the items themselves; 0 without any. */
  get expiration(): number {
    let latest = 0;
    for (const { expiration } of this.items()) {
      latest = Math.max(latest, expiration);
    }
    return latest;
  }

  /** Stores an item unless it is expired or not newer than what is there. */
  store(item: DictionaryItem): boolean {
    return this.#items.store(toHex(item.subkey), item, item.expiration);
  }

  /** The live item of a subkey, in its serialized form. */
  get(subkey: Uint8Array): DictionaryItem | undefined {
    return this.#items.get(toHex(subkey))?.value;
  }

  /** All live items, in the order of their first storing. */
  *items(): IterableIterator<DictionaryItem> {
    for (const [, { value }] of this.#items.entries()) yield value;
  }
}

/** The reference's wire form of a dictionary without a limit of its size. */
export function encodeDictionary(items: readonly DictionaryItem[]): Bytes {
  const inner = new Encoder();
  inner.arrayHead(3);
  inner.float(Infinity);
  inner.float(Math.max(0, ...items.map(({ expiration }) => expiration)));
  inner.arrayHead(items.length);
  for (const { subkey, value, expiration } of items) {
    inner.arrayHead(3);
    inner.serialized(subkey);
    inner.binary(value);
    inner.float(expiration);
  }
  const outer = new Encoder();
  outer.extension(EXT.dictionary, inner.bytes());
  return outer.bytes();
}

/**
 * The items of a dictionary's wire form, expired ones included. Its claims of
 * a size and of an outer expiration are read and not believed.
 *
 * @throws {DecodeError} for anything else.
 */
export function decodeDictionary(bytes: Uint8Array): DictionaryItem[] {
  const outer = new Decoder(bytes);
  const { type, payload } = outer.extension();
  outer.end();
  if (type !== EXT.dictionary) throw new DecodeError("It is no dictionary.");
  const inner = new Decoder(payload);
  if (inner.arrayHead() !== 3) throw new DecodeError("It is no dictionary.");
  inner.float();
  inner.float();
  const items: DictionaryItem[] = [];
  for (let left = inner.arrayHead(); left > 0; left--) {
    if (inner.arrayHead() !== 3) {
      throw new DecodeError("An item of a dictionary has three parts.");
    }
    items.push({
      subkey: inner.serialized(),
      value: inner.binary(),
      expiration: inner.finiteFloat(),
    });
  }
  inner.end();
  return items;
}
