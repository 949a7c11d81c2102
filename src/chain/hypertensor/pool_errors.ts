import { ChainUnreadableError } from "../errors.ts";
import { ConnectionError, JsonRpcError } from "./connection.ts";
import { isPassing } from "./patience.ts";

/** What a failed submission means. */
export type PoolVerdict =
  /** It may be in the pool: wait for it, and do not send another. */
  | "pending"
  /** It is not in the pool, and may be made anew. */
  | "retry"
  /** Another call took its place: look at the state, then make it anew. */
  | "look"
  /** It was signed for another runtime or chain. */
  | "runtime"
  /** It would fail again. */
  | "stop";

const INVALID = 1010;
/** Numbers of the pool's errors; Substrate's `author` RPC gives them. */
const BY_NUMBER: Readonly<Record<number, PoolVerdict>> = {
  // Bad format of the bytes themselves.
  1001: "stop",
  1002: "retry",
  // Validity unknown: the runtime could not tell yet.
  1011: "retry",
  // Temporarily banned: the same bytes failed a moment ago.
  1012: "retry",
  // Already imported: the same bytes are in the pool.
  1013: "pending",
  // Priority too low: another call with our number waits.
  1014: "look",
  1015: "look",
  // Immediately dropped: the pool is full.
  1016: "retry",
  // Unactionable, and unsafe calls.
  1017: "stop",
  1018: "stop",
};

/**
 * Sorts what an endpoint says of a submission. The words vary between node
 * software; the numbers do not, and where the words decide, the state is looked
 * at again before anything is sent.
 */
export function judge(error: unknown): PoolVerdict {
  // The question may have arrived although its answer did not.
  if (error instanceof ConnectionError) return "pending";
  if (error instanceof ChainUnreadableError) return "retry";
  if (isPassing(error)) return "retry";
  if (!(error instanceof JsonRpcError)) return "stop";
  if (error.number !== INVALID) return BY_NUMBER[error.number] ?? "stop";
  const said = error.message.toLowerCase();
  if (/payment|fees|balance/.test(said)) return "stop";
  if (/bad.?proof|bad signature|signature/.test(said)) return "runtime";
  if (/ancient|birth/.test(said)) return "retry";
  return "look";
}
