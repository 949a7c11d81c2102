import { MeshError, type MeshErrorOptions } from "../core/errors.ts";

/** The error for bytes that are not a serialized value within the limits. */
export class DecodeError extends MeshError {
  /** Says what is wrong with the bytes. */
  constructor(message: string, options?: ErrorOptions) {
    super("DECODE", message, options);
    this.name = "DecodeError";
  }
}

/** The error for a value that has no serialized form. */
export class EncodeError extends MeshError {
  /** Says which value has no form. */
  constructor(message: string, options?: ErrorOptions) {
    super("ENCODE", message, options);
    this.name = "EncodeError";
  }
}

/** The error of a medium that records cannot be kept on. */
export class StorageError extends MeshError {
  /** Says what failed and why. */
  constructor(
    code: "STORAGE_FAILED" | "RECORDS_IN_USE" | "RECORDS_UNUSABLE",
    message: string,
    options?: MeshErrorOptions,
  ) {
    super(code, message, options);
    this.name = "StorageError";
  }
}
