import { decorateStorage, StorageKey } from "@polkadot/types";
import type { StorageEntry } from "@polkadot/types/primitive/types";
import { unwrapStorageType } from "@polkadot/types/util";
import type { Codec } from "@polkadot/types/types";
import { hexToU8a } from "@polkadot/util";
import { equal } from "../../core/bytes.ts";
import { ChainUnreadableError } from "../errors.ts";
import { isOneValue } from "./extent.ts";
import { type ChainTypes, UnknownLayoutError } from "./metadata.ts";

/** The chain's plain storage: keys to ask for and answers to decode. */
export class ChainStorage {
  readonly #types: ChainTypes;
  readonly #pallets: Record<string, Record<string, StorageEntry>>;

  /** Knows the storage that the metadata describes. */
  constructor(types: ChainTypes) {
    this.#types = types;
    const { metadata, registry } = types;
    this.#pallets = decorateStorage(
      registry,
      metadata.asLatest,
      metadata.version,
    ) as unknown as Record<string, Record<string, StorageEntry>>;
  }

  /**
   * The key of a value, hex with `0x`.
   *
   * @throws {UnknownLayoutError} when the chain has no such storage.
   */
  key(pallet: string, item: string, ...args: unknown[]): `0x${string}` {
    const entry = this.#entry(pallet, item);
    return new StorageKey(this.#types.registry, [entry, args]).toHex();
  }

  /**
   * What the keys of a map begin with, given the first of its arguments.
   *
   * @throws {UnknownLayoutError} when the chain has no such map.
   */
  prefix(pallet: string, item: string, ...args: unknown[]): `0x${string}` {
    const { iterKey } = this.#entry(pallet, item);
    if (iterKey !== undefined) {
      return iterKey(...args).toHex() as `0x${string}`;
    }
    throw new UnknownLayoutError(`${pallet}.${item} is no map`);
  }

  /**
   * The value of an answer. `undefined` means that there is none; items that
   * have a default give that instead.
   *
   * @throws {ChainUnreadableError} for bytes that are not exactly one value.
   */
  decode(
    pallet: string,
    item: string,
    answer: `0x${string}` | null,
  ): Codec | undefined {
    const { meta } = this.#entry(pallet, item);
    if (answer === null && meta.modifier.isOptional) return undefined;
    const bytes = answer === null
      ? meta.fallback.toU8a(true)
      : hexToU8a(answer);
    const { registry } = this.#types;
    try {
      const { isPlain } = meta.type;
      const id = isPlain ? meta.type.asPlain : meta.type.asMap.value;
      if (!isOneValue(registry.lookup, id, bytes)) {
        throw new Error("the bytes are not exactly one value");
      }
      const type = unwrapStorageType(registry, meta.type);
      const value = registry.createTypeUnsafe(type, [bytes]);
      // The library reads on where bytes are missing and stops where there are
      // too many: only what encodes to the same bytes was read rightly.
      if (equal(value.toU8a(), bytes)) return value;
      throw new Error("the bytes are not exactly one value");
    } catch (cause) {
      throw new ChainUnreadableError(
        `The chain's ${pallet}.${item} cannot be decoded: ${
          cause instanceof Error ? cause.message : cause
        }.`,
        { cause },
      );
    }
  }

  #entry(pallet: string, item: string): StorageEntry {
    const entry = this.#pallets[pallet]?.[item];
    if (entry !== undefined) return entry;
    throw new UnknownLayoutError(`it has no storage ${pallet}.${item}`);
  }
}
