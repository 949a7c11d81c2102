import type { PortableType } from "@polkadot/types/interfaces";
import { concat } from "../../core/bytes.ts";
import { type ChainTypes, UnknownLayoutError } from "./metadata.ts";

/** A call of the pallet `Network`, by the names that the metadata gives. */
export interface NetworkCall {
  /** Such as `add_stake`. */
  readonly name: string;
  /**
   * Its arguments by name. Amounts are `bigint`, bytes and accounts hex with
   * `0x`, what is absent is `null`.
   */
  readonly args: Readonly<Record<string, unknown>>;
}

const PALLET = "Network";

/** Whether this chain has such a call. */
export function hasCall(types: ChainTypes, name: string): boolean {
  return variantOf(types, name) !== undefined;
}

/**
 * Encodes a call. Arguments are put in order by their names, and each must be
 * there: one that is missing or too much means that the layout is another.
 *
 * @throws {UnknownLayoutError}
 */
export function encodeNetworkCall(
  types: ChainTypes,
  { name, args }: NetworkCall,
): `0x${string}` {
  const { registry } = types;
  const found = variantOf(types, name);
  if (found === undefined) {
    throw new UnknownLayoutError(`it has no call ${PALLET}.${name}`);
  }
  const { pallet, variant } = found;
  const names = variant.fields.map((field) => field.name.unwrap().toString());
  const wrong = [
    ...names.filter((each) => !Object.hasOwn(args, each)),
    ...Object.keys(args).filter((each) => !names.includes(each)),
  ];
  if (wrong.length > 0) {
    throw new UnknownLayoutError(
      `its call ${PALLET}.${name} takes ${names.join(", ") || "nothing"}, so ${
        wrong.join(", ")
      } cannot be right`,
    );
  }
  const encoded = variant.fields.map((field, i) =>
    registry.createType(
      registry.createLookupType(field.type),
      args[names[i] as string],
    ).toU8a()
  );
  const head = Uint8Array.of(pallet, variant.index.toNumber());
  return `0x${concat(head, ...encoded).toHex()}`;
}

/** A call as its bytes say, for people: what is shown is what is signed. */
export function describeNetworkCall(
  { registry }: ChainTypes,
  bytes: `0x${string}`,
): { readonly name: string; readonly args: Readonly<Record<string, unknown>> } {
  const call = registry.createType("Call", bytes);
  const { name } = call.meta;
  const args = call.meta.args.map((arg, i) =>
    [arg.name.toString(), call.args[i]?.toPrimitive()] as const
  );
  return {
    name: `${PALLET}.${name.toString()}`,
    args: Object.fromEntries(args),
  };
}

function variantOf({ metadata }: ChainTypes, name: string) {
  const { lookup, pallets } = metadata.asLatest;
  const pallet = pallets.find((each) => each.name.toString() === PALLET);
  if (pallet === undefined || pallet.calls.isNone) return undefined;
  const { def }: PortableType["type"] = lookup.getSiType(
    pallet.calls.unwrap().type,
  );
  const variant = def.asVariant.variants.find((each) =>
    each.name.toString() === name
  );
  return variant && { pallet: pallet.index.toNumber(), variant };
}
