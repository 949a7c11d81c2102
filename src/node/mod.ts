export { createNode, MeshNode } from "./node.ts";
export type {
  ChainOptions,
  NodeOptions,
  NodeStatus,
  SubnetRules,
} from "./options.ts";
