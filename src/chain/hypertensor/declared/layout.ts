import type { BootnodeLists, NodeDetails, SubnetDetails } from "./answers.ts";
import type { Shape } from "./kinds.ts";

/** Structures of the runtime API's answers. */
export type DeclaredName =
  | "SubnetInfo"
  | "SubnetNodeInfo"
  | "AllSubnetBootnodes";

/** What one layout of the chain answers through its runtime API. */
export interface DeclaredLayout {
  /** The fields of each structure, in the chain's order. */
  readonly shapes: Readonly<Record<DeclaredName, Shape>>;
  /** Reads a subnet. */
  readonly subnet: (value: unknown) => SubnetDetails;
  /** Reads a node. */
  readonly node: (value: unknown) => NodeDetails;
  /** Reads a subnet's bootnodes. */
  readonly bootnodes: (value: unknown) => BootnodeLists;
}
