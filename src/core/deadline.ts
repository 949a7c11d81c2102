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
  return new Limit(milliseconds, parents);
}

// One object for all that has to be heard and cleared: every call has several.
class Limit implements Deadline, EventListenerObject {
  readonly #controller = new AbortController();
  readonly #parents: readonly (AbortSignal | undefined)[];
  readonly #milliseconds: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    milliseconds: number,
    parents: readonly (AbortSignal | undefined)[],
  ) {
    this.#milliseconds = milliseconds;
    this.#parents = parents;
    for (const parent of parents) {
      if (parent?.aborted) this.#controller.abort(parent.reason);
      else parent?.addEventListener("abort", this, ONCE);
    }
    if (Number.isFinite(milliseconds)) {
      this.#timer = setTimeout(Limit.#end, milliseconds, this);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  handleEvent(event: Event): void {
    this.#controller.abort((event.target as AbortSignal).reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const parent of this.#parents) {
      parent?.removeEventListener("abort", this);
    }
  }

  static #end(limit: Limit): void {
    limit.#controller.abort(
      new DOMException(
        `No answer within ${limit.#milliseconds} ms.`,
        "TimeoutError",
      ),
    );
  }
}

const ONCE = { once: true };

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
    signal.addEventListener("abort", abort, ONCE);
    promise.then((value) => {
      signal.removeEventListener("abort", abort);
      resolve(value);
    }, (error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
    });
  });
}
