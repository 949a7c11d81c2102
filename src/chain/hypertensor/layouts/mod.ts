import type { LayoutRules } from "./layout.ts";
import { R25 } from "./r25.ts";
import { R26 } from "./r26.ts";

/** The layouts of the chain's data that are known, named as in the chain's history. */
export const LAYOUTS = { R25, R26 } as const satisfies Record<
  string,
  LayoutRules
>;

/** A layout's name. */
export type Layout = keyof typeof LAYOUTS;

/** What is known of a layout. */
export function rulesOf(layout: Layout): LayoutRules {
  return LAYOUTS[layout];
}

/**
 * The layout that a chain's structs have; why there is none otherwise. `fields`
 * names the fields of a struct.
 */
export function layoutOf(
  fields: (struct: string) => readonly string[] | undefined,
): Layout | { readonly unknown: string } {
  const node = fields("SubnetNode");
  if (node === undefined) return { unknown: "it has no subnets" };
  if (node.includes("validator_id")) {
    return { unknown: "its nodes belong to validators (R26b)" };
  }
  const found = Object.entries(LAYOUTS).find(([, { nodeFields }]) =>
    nodeFields.every((field) => node.includes(field))
  );
  return found === undefined
    ? { unknown: `its nodes have ${node.join(", ")}` }
    : found[0] as Layout;
}
