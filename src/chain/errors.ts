import { MeshError, type MeshErrorOptions } from "../core/errors.ts";

/** The chain could not be read: nothing is known about the answer. */
export class ChainUnreadableError extends MeshError {
  /** Says what could not be read, and why. */
  constructor(message: string, options?: MeshErrorOptions) {
    super("CHAIN_UNREADABLE", message, options);
    this.name = "ChainUnreadableError";
  }
}

/** The chain refused a call. Nothing was changed. */
export class ChainCallError extends MeshError {
  /** The chain's own name of the error, such as `AlreadyAttested`. */
  readonly chainError: string;

  /** Names the chain's error. */
  constructor(chainError: string, message: string, options?: MeshErrorOptions) {
    super("CHAIN_CALL_REFUSED", message, options);
    this.name = "ChainCallError";
    this.chainError = chainError;
  }
}

/** Why a submission failed: try anew, look at the state first, or give up. */
export type SubmitRemedy = "retry" | "look" | "stop";

/** A call was not seen to be included. */
export class ChainSubmitError extends MeshError {
  /** What the caller can do. */
  readonly remedy: SubmitRemedy;

  /** Says what is known, and what can be done. */
  constructor(
    remedy: SubmitRemedy,
    message: string,
    options?: MeshErrorOptions,
  ) {
    super("CHAIN_SUBMIT_FAILED", message, options);
    this.name = "ChainSubmitError";
    this.remedy = remedy;
  }
}
