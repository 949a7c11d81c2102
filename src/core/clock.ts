import { setImmediate } from "node:timers";

/** Where time comes from, so that tests and simulations can make it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Waits.
   *
   * @throws the signal's reason, as soon as it is aborted.
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Lets everything else that is due happen; absent where work takes no time. */
  pass?(): Promise<void>;
}

/** The DHT time: Unix seconds, as records and calls carry it. */
export function dhtTime(clock: Clock): number {
  return clock.now() / 1000;
}

/** Longest wait a platform timer can count; longer ones are made of several. */
const MAX_TIMER = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    for (let left = milliseconds; left > MAX_TIMER; left -= MAX_TIMER) {
      await timer(MAX_TIMER, signal);
    }
    await timer(Math.min(milliseconds, MAX_TIMER), signal);
  },
  pass: passTurn,
};

/** Lets everything else that is due in the process happen. */
export function passTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function timer(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => {
    clearTimeout(handle);
    reject(signal?.reason);
  };
  const handle = setTimeout(() => {
    signal?.removeEventListener("abort", abort);
    resolve();
  }, milliseconds);
  signal?.addEventListener("abort", abort, { once: true });
  return promise;
}
