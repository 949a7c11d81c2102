import type { Clock } from "./clock.ts";

/** How long is worked without a pause, ms. */
const TURN = 4;

/**
 * Does something with each of many things, in their order, and lets everything
 * else that is due happen after each few milliseconds: what comes in bulk must
 * not keep whoever asks for little waiting.
 */
export async function paced<T, R>(
  things: readonly T[],
  act: (thing: T) => Promise<R>,
  clock: Clock,
): Promise<R[]> {
  const results: Promise<R>[] = [];
  let began = performance.now();
  for (const thing of things) {
    if (clock.pass !== undefined && performance.now() - began >= TURN) {
      await clock.pass();
      began = performance.now();
    }
    const result = act(thing);
    // Whoever fails meanwhile is heard at the end.
    result.catch(() => {});
    results.push(result);
  }
  return await Promise.all(results);
}
