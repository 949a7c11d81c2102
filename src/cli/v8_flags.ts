/**
 * How V8 is told to run a node.
 *
 * A node makes much that lives for one call only. What new objects are made in
 * is cleared each time it is full, and meanwhile nothing else happens: with V8's
 * 16 MiB for some 5 ms, with 4 MiB for 1 ms, and less time in all, as 4 MiB
 * stay in the processor's cache. See `docs/benchmarks.md`.
 */
export const V8_FLAGS = "--max-semi-space-size=4";
