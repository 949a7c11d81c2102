import { Metadata, TypeRegistry } from "@polkadot/types";
import { MeshError } from "../../core/errors.ts";
import { type Layout, layoutOf } from "./layouts/mod.ts";

export type { Layout };

/** The error for a chain whose data has a layout that is not known. */
export class UnknownLayoutError extends MeshError {
  /** Says what was found. */
  constructor(found: string) {
    super("CHAIN_LAYOUT_UNKNOWN", `This chain is not understood: ${found}.`, {
      hint: "Use a version of meshnode that was made for this chain.",
    });
    this.name = "UnknownLayoutError";
  }
}

/** The chain's types, and how they are laid out. */
export interface ChainTypes {
  /** Encodes and decodes. */
  readonly registry: TypeRegistry;
  /** The metadata. */
  readonly metadata: Metadata;
  /** The layout. */
  readonly layout: Layout;
}

/**
 * Reads a chain's metadata and recognises its layout: the versions that the
 * chain tells do not identify it.
 *
 * @throws {UnknownLayoutError} rather than decode wrongly later.
 */
export function readMetadata(hex: `0x${string}`): ChainTypes {
  const registry = new TypeRegistry();
  // The library's own OpaquePeerId has its length in front twice.
  registry.register({ OpaquePeerId: "Bytes" });
  let metadata: Metadata;
  let layout: ReturnType<typeof layoutOf>;
  try {
    metadata = new Metadata(registry, hex);
    registry.setMetadata(metadata);
    layout = layoutOf((type) => fieldsOf(metadata, type));
  } catch (cause) {
    throw new UnknownLayoutError(
      `its metadata cannot be read (${
        cause instanceof Error ? cause.message : cause
      })`,
    );
  }
  if (typeof layout === "object") throw new UnknownLayoutError(layout.unknown);
  return { registry, metadata, layout };
}

/** Names of a struct's fields; `undefined` when the chain has no such struct. */
function fieldsOf(metadata: Metadata, name: string): string[] | undefined {
  const found = metadata.asLatest.lookup.types.find(({ type: { path } }) =>
    path.at(-1)?.toString() === name
  );
  return found?.type.def.isComposite
    ? found.type.def.asComposite.fields.map((field) =>
      field.name.unwrapOr("").toString()
    )
    : undefined;
}
