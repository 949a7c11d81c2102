export { createNode, MeshNode } from "./node.ts";
export type {
  ChainOptions,
  LimitOptions,
  NodeOptions,
  NodeStatus,
  SubnetRules,
} from "./options.ts";
