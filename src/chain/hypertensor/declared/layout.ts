import type {
  BootnodesInput,
  NodeInput,
  SubnetInput,
} from "../plans/inputs.ts";
import type { BootnodeLists, NodeDetails, SubnetDetails } from "./answers.ts";
import type { Shape } from "./kinds.ts";

/** Structures of the runtime API's answers. */
export type DeclaredName =
  | "SubnetInfo"
  | "SubnetNodeInfo"
  | "AllSubnetBootnodes"
  | "DelegateStakeInfo"
  | "NodeDelegateStakeInfo";

/** Arguments of a call by their names. */
export type CallArgs = Readonly<Record<string, unknown>>;

/** What one layout of the chain answers and takes, beyond its metadata. */
export interface DeclaredLayout {
  /** The fields of each structure, in the chain's order. */
  readonly shapes: Readonly<Record<DeclaredName, Shape>>;
  /** Reads a subnet. */
  readonly subnet: (value: unknown) => SubnetDetails;
  /** Reads a node. */
  readonly node: (value: unknown) => NodeDetails;
  /** Reads a subnet's bootnodes. */
  readonly bootnodes: (value: unknown) => BootnodeLists;
  /** The map from addresses to the nodes that have them. */
  readonly addressOwners: string;
  /** An address as the chain keeps it, hex with `0x`. */
  readonly address: (multiaddr: string) => string;
  /** Arguments of `register_subnet_node`. @throws {CallInputError} */
  readonly registerNode: (input: NodeInput) => CallArgs;
  /** Arguments of `register_subnet`. @throws {CallInputError} */
  readonly registerSubnet: (input: SubnetInput) => CallArgs;
  /** Arguments of `update_bootnodes`. */
  readonly updateBootnodes: (input: BootnodesInput) => CallArgs;
}
