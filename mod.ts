/**
 * meshnode as a library.
 *
 * @module
 */
export * from "./src/auth/mod.ts";
export {
  LocalChain,
  LocalChainError,
  type LocalChainFacts,
  type LocalChainFaults,
  type LocalChainOptions,
  type Registration,
} from "./src/chain/local/mod.ts";
export * from "./src/chain/mod.ts";
export * from "./src/consensus/mod.ts";
export * from "./src/core/mod.ts";
export * from "./src/dht/mod.ts";
export * from "./src/heartbeat/mod.ts";
export * from "./src/identity/mod.ts";
export * from "./src/network/mod.ts";
export * from "./src/node/mod.ts";
export * from "./src/records/mod.ts";
export * from "./src/rpc/mod.ts";
export * from "./src/validation/mod.ts";
