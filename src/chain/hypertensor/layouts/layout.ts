import type { SubnetNodeInfo } from "../../types.ts";
import type { Fields } from "../fields.ts";

/** The peers of a node. */
export type NodePeers = Pick<SubnetNodeInfo, "peer" | "bootnode" | "client">;

/** What differs between the layouts of the chain's data. */
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
}
