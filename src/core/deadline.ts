/**
 * A signal that is aborted with the first of the given ones, or after some
 * time. Dispose it to clear its timer and its listeners.
 */
export interface Deadline extends Disposable {
  /** Aborted with a `TimeoutError` when the time is over. */
  readonly signal: AbortSignal;
}

/** Makes a {@linkcode Deadline}; `milliseconds` may be `Infinity`. */
export function deadline(
  milliseconds: number,
  ...parents: readonly (AbortSignal | undefined)[]
): Deadline {
  const controller = new AbortController();
  const watched = parents.filter((parent) => parent !== undefined);
  const onAbort = (event: Event) =>
    controller.abort((event.target as AbortSignal).reason);
  for (const parent of watched) {
    if (parent.aborted) controller.abort(parent.reason);
    else parent.addEventListener("abort", onAbort, { once: true });
  }
  const timer = Number.isFinite(milliseconds)
    ? setTimeout(() =>
      controller.abort(
        new DOMException(
          `No answer within ${milliseconds} ms.`,
          "TimeoutError",
        ),
      ), milliseconds)
    : undefined;
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const parent of watched) {
        parent.removeEventListener("abort", onAbort);
      }
    },
  };
}

/**
 * The promise's result, unless the signal is aborted first. The promise goes
 * on by itself then, and its failure is nobody's.
 */
export function raceSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() =>
      signal.removeEventListener("abort", abort)
    );
  });
}
