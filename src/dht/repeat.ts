import type { Clock } from "../core/clock.ts";

/** Does something after every pause, until the signal is aborted; never rejects. */
export async function repeat(
  clock: Clock,
  pause: () => number,
  act: () => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(pause(), signal);
      act();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
