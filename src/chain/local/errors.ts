import { MeshError, type MeshErrorOptions } from "../../core/errors.ts";

/** A local chain's file cannot be used. */
export class LocalChainError extends MeshError {
  /** Says what is wrong with the file. */
  constructor(
    code:
      | "LOCAL_CHAIN_MISSING"
      | "LOCAL_CHAIN_DAMAGED"
      | "LOCAL_CHAIN_DIFFERS"
      | "LOCAL_CHAIN_VERSION",
    message: string,
    options?: MeshErrorOptions,
  ) {
    super(code, message, options);
    this.name = "LocalChainError";
  }
}
