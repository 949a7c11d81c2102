import type { RequestFacts } from "../auth/authorizer.ts";
import type { CallQuota } from "../auth/call_quotas.ts";

/** Who asks, and until when. */
export interface CallContext {
  /** The caller's peer id, base58; proved by its connection and its signature. */
  readonly peerId: string;
  /** Aborted when the caller gives up or is gone, or the node stops. */
  readonly signal: AbortSignal;
}

/** Answers a call with one message. */
export type UnaryHandler = (
  body: Uint8Array,
  context: CallContext,
) => Promise<Uint8Array>;

/** Answers a call with a stream of messages. */
export type StreamHandler = (
  body: Uint8Array,
  context: CallContext,
) => AsyncIterable<Uint8Array>;

/** Options of a call. */
export interface RpcCallOptions {
  /** Milliseconds for the answer, or for the whole stream; 3000 by default, may be `Infinity`. */
  readonly timeout?: number;
  /** Ends the call, and tells the other side. */
  readonly signal?: AbortSignal | undefined;
}

/** Bounds of the calls with one peer. */
export interface RpcLimits {
  /** Most calls of ours under way at one peer; more wait. */
  readonly callsInFlight: number;
  /** Most calls of ours that wait for one peer; more fail. */
  readonly callsWaiting: number;
  /** Most calls of one peer under way here; more are answered "busy". */
  readonly servedInFlight: number;
  /** Most bytes of one peer's bodies under way here. */
  readonly servedBytes: number;
  /** Most streams that one peer may hold open. */
  readonly streamsPerPeer: number;
  /** Items of a stream that may be under way to its reader. */
  readonly streamWindow: number;
}

/** The defaults of {@linkcode RpcLimits}. */
export const RPC_LIMITS: RpcLimits = {
  callsInFlight: 256,
  callsWaiting: 4096,
  servedInFlight: 256,
  servedBytes: 16 * 1024 * 1024,
  streamsPerPeer: 4,
  streamWindow: 16,
};

/** Options of a served method. */
export interface ServeOptions {
  /** Least class that a caller's node must have; the node's own minimum by default. */
  readonly minClass?: RequestFacts["minClass"];
  /** What one peer may ask of it, within what it may ask of the node. */
  readonly quota?: CallQuota;
}

/** Anything that answers. */
export type Handler =
  & ServeOptions
  & (
    | { readonly kind: "unary"; readonly handle: UnaryHandler }
    | { readonly kind: "stream"; readonly handle: StreamHandler }
  );
