export { RPC_ERROR_CODES, RpcError, type RpcErrorCode } from "./errors.ts";
export * from "./rpc.ts";
export {
  type CallContext,
  RPC_LIMITS,
  type RpcCallOptions,
  type RpcLimits,
  type ServeOptions,
  type StreamHandler,
  type UnaryHandler,
} from "./types.ts";
