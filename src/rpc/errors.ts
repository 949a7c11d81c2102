import { MeshError, type MeshErrorOptions } from "../core/errors.ts";

/** Why a call failed. */
export const RPC_ERROR_CODES = [
  /** No answer in time. */
  "RPC_TIMEOUT",
  /** The caller gave up. */
  "RPC_CANCELLED",
  /** The peer cannot be reached, or the stream was lost. */
  "RPC_UNREACHABLE",
  /** The peer does not serve the method, or not in this form. */
  "RPC_UNKNOWN_METHOD",
  /** The request or the answer was not accepted. */
  "RPC_UNAUTHORIZED",
  /** The peer has too much to do. */
  "RPC_BUSY",
  /** A message is longer than a frame may be. */
  "RPC_TOO_LARGE",
  /** The peer refuses the body. */
  "RPC_BAD_REQUEST",
  /** The peer's handler failed. */
  "RPC_REMOTE_FAILED",
  /** What was received breaks the protocol. */
  "RPC_PROTOCOL",
] as const;

/** Why a call failed. */
export type RpcErrorCode = typeof RPC_ERROR_CODES[number];

/** Options of {@linkcode RpcError}. */
export interface RpcErrorOptions extends MeshErrorOptions {
  /** Milliseconds after which it is worth trying again. */
  readonly retryAfter?: number | undefined;
}

/** The error of a failed call. */
export class RpcError extends MeshError {
  /** Which failure it is; also in `code`. */
  readonly kind: RpcErrorCode;
  /** Milliseconds after which it is worth trying again, when the peer said so. */
  readonly retryAfter: number | undefined;

  /** Says what failed and why. */
  constructor(
    kind: RpcErrorCode,
    message: string,
    options: RpcErrorOptions = {},
  ) {
    super(kind, message, options);
    this.name = "RpcError";
    this.kind = kind;
    this.retryAfter = options.retryAfter;
  }
}

/** An error that is what it was, or a call's failure for any other reason. */
export function asRpcError(error: unknown, kind: RpcErrorCode): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RpcError(kind, message, { cause: error });
}
