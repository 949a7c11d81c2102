import type { Bytes } from "../core/bytes.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import { DecodeError } from "./errors.ts";
import { EXT } from "./format.ts";

/** One owner's value in a dictionary. */
export interface DictionaryItem {
  /** The subkey's serialized form. */
  readonly subkey: Uint8Array;
  /** The value's bytes. */
  readonly value: Uint8Array;
  /** DHT time (Unix seconds). */
  readonly expiration: number;
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
