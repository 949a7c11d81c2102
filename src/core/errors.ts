/** Options of {@linkcode MeshError}. */
export interface MeshErrorOptions extends ErrorOptions {
  /** What the reader can do next, as a full sentence. */
  readonly hint?: string;
}

/**
 * The base of every error that meshnode throws on purpose.
 *
 * `code` is stable and meant for programs; `message` says what happened and
 * why; `hint`, where there is one, says what to do next.
 */
export class MeshError extends Error {
  /** Stable, machine-readable name of the failure, e.g. `IDENTITY_DAMAGED`. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string | undefined;

  /** Makes an error with a stable code and a message for people. */
  constructor(code: string, message: string, options: MeshErrorOptions = {}) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "MeshError";
    this.code = code;
    this.hint = options.hint;
  }
}
