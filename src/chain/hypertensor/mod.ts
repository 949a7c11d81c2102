export { accountFromSecret, AccountSecretError } from "./account.ts";
export type { AskOptions, ClientOptions, ClientStatus } from "./client.ts";
export { HypertensorClient } from "./client.ts";
export { ConnectionError, JsonRpcError } from "./connection.ts";
export type { BlockHeader } from "./header.ts";
export { HypertensorChain } from "./hypertensor_chain.ts";
export {
  type ChainTypes,
  type Layout,
  UnknownLayoutError,
} from "./metadata.ts";
export type { Order } from "./order.ts";
export { encodeCall } from "./orders.ts";
export type { ChainEvent } from "./outcome.ts";
export type { Runtime, RuntimeId } from "./runtime.ts";
export type { SignedCall } from "./signed_call.ts";
export {
  type ApiCall,
  type ReaderOptions,
  StateReader,
} from "./state_reader.ts";
export { type Estimate, type FullReceipt, Submitter } from "./submitter.ts";
export { HypertensorView } from "./view.ts";
