export { createClient, MeshClient, type MeshClientOptions } from "./client.ts";
export { createNode, MeshNode } from "./node.ts";
export type {
  ChainOptions,
  ClockOptions,
  LimitOptions,
  NodeOptions,
  NodeStatus,
  SubnetRules,
  Unready,
} from "./options.ts";
