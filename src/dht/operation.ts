import { deadline } from "../core/deadline.ts";

/**
 * The life of an operation: its caller can end it until it is answered; what
 * goes on after that ends with the node only.
 */
export interface Operation extends Disposable {
  /** Ends the operation's calls. */
  readonly signal: AbortSignal;
  /** Says that the caller has its answer. */
  answered(): void;
}

/** Begins an operation; dispose it when its last call ended. */
export function operation(
  stopping: AbortSignal,
  caller: AbortSignal | undefined,
): Operation {
  const asked = deadline(Infinity, caller);
  const whole = deadline(Infinity, stopping, asked.signal);
  return {
    signal: whole.signal,
    answered: () => asked[Symbol.dispose](),
    [Symbol.dispose]() {
      asked[Symbol.dispose]();
      whole[Symbol.dispose]();
    },
  };
}
