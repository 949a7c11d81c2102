import type { SubnetNodeInfo } from "../../types.ts";
import type {
  Bootnode,
  BootnodeLists,
  NodeDetails,
  SubnetDetails,
} from "../declared/answers.ts";
import type { Shape } from "../declared/kinds.ts";
import type { Fields } from "../fields.ts";
import type {
  BootnodesInput,
  NodeInput,
  SubnetInput,
} from "../plans/inputs.ts";

/** The peers of a node. */
export type NodePeers = Pick<SubnetNodeInfo, "peer" | "bootnode" | "client">;

/** Structures of the runtime API's answers, which the metadata leaves opaque. */
export type DeclaredName =
  | "SubnetInfo"
  | "SubnetNodeInfo"
  | "AllSubnetBootnodes"
  | "DelegateStakeInfo"
  | "NodeDelegateStakeInfo";

/** Arguments of a call by their names. */
export type CallArgs = Readonly<Record<string, unknown>>;

/** What differs between the layouts of the chain's data and calls. */
export interface LayoutRules {
  /** Fields of the chain's struct `SubnetNode` by which the layout is known. */
  readonly nodeFields: readonly string[];
  /** Reads the peers of a node. @throws when they are not as they should be */
  peers(node: Fields): NodePeers;
  /** Reads an address as the layout keeps it; `undefined` when it is none. */
  address(value: unknown): string | undefined;
  /** The map of a subnet's own bootnodes in the storage. */
  readonly bootnodes: string;
  /** Types of the arguments of `proof_of_stake` after the class. */
  readonly proofOfStakeTail: readonly string[];
  /** The fields of each structure, in the chain's order. */
  readonly shapes: Readonly<Record<DeclaredName, Shape>>;
  /** Reads a subnet. */
  readonly subnet: (value: unknown) => SubnetDetails;
  /** Reads a node. */
  readonly node: (value: unknown) => NodeDetails;
  /** Reads a subnet's bootnodes. */
  readonly allBootnodes: (value: unknown) => BootnodeLists;
  /** What a bootnode is known by, and removed by. */
  readonly bootnodeKey: (bootnode: Bootnode) => string | undefined;
  /** The map from addresses to the nodes that have them. */
  readonly addressOwners: string;
  /** An address as the chain keeps it, hex with `0x`. */
  readonly addressHex: (multiaddr: string) => string;
  /** Arguments of `register_subnet_node`. @throws {CallInputError} */
  readonly registerNode: (input: NodeInput) => CallArgs;
  /** Arguments of `register_subnet`. @throws {CallInputError} */
  readonly registerSubnet: (input: SubnetInput) => CallArgs;
  /** Arguments of `update_bootnodes`. */
  readonly updateBootnodes: (input: BootnodesInput) => CallArgs;
}
