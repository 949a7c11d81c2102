import { Metadata, TypeRegistry } from "@polkadot/types";
import { MeshError } from "../../core/errors.ts";

/** The layouts of the chain's data that are known, named as in the chain's history. */
export type Layout = "R25" | "R26";

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
  try {
    metadata = new Metadata(registry, hex);
  } catch (cause) {
    throw new UnknownLayoutError(
      `its metadata cannot be read (${
        cause instanceof Error ? cause.message : cause
      })`,
    );
  }
  registry.setMetadata(metadata);
  return { registry, metadata, layout: layoutOf(metadata) };
}

function layoutOf(metadata: Metadata): Layout {
  const names = (type: string): string[] | undefined => {
    const found = metadata.asLatest.lookup.types.find(({ type: { path } }) =>
      path.at(-1)?.toString() === type
    );
    return found?.type.def.isComposite
      ? found.type.def.asComposite.fields.map(({ name }) =>
        name.unwrapOr("").toString()
      )
      : undefined;
  };
  const node = names("SubnetNode");
  if (node === undefined) throw new UnknownLayoutError("it has no subnets");
  const has = (...fields: string[]) =>
    fields.every((field) => node.includes(field));
  if (has("validator_id")) {
    throw new UnknownLayoutError("its nodes belong to validators (R26b)");
  }
  if (has("hotkey", "peer_info")) return "R26";
  if (has("hotkey", "peer_id", "bootnode_peer_id", "client_peer_id")) {
    return "R25";
  }
  throw new UnknownLayoutError(`its nodes have ${node.join(", ")}`);
}
