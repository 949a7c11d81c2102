import { JsonRpcError } from "./connection.ts";

const AFTER_LOSS = 100;
const FIRST_ROUND = 500;
const LAST_ROUND = 30_000;
const FIRST_BUSY = 200;

/** Numbers by which endpoints say that they are asked too much. */
const TOO_MANY: ReadonlySet<number> = new Set([429, -32005, -32029, -32097]);

/** Whether an endpoint may answer the same question a little later. */
export function isPassing(error: unknown): boolean {
  return error instanceof JsonRpcError &&
    (TOO_MANY.has(error.number) ||
      /too many requests|rate limit/i.test(error.message));
}

/** How long to wait; at random, lest all nodes come back at the same moment. */
export class Patience {
  readonly #random: () => number;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds before all endpoints are tried again, after so many rounds in vain. */
  round(rounds: number): number {
    return this.#spread(
      rounds === 0
        ? AFTER_LOSS
        : Math.min(FIRST_ROUND * 2 ** (rounds - 1), LAST_ROUND),
    );
  }

  /** Milliseconds before a busy endpoint is asked again. */
  busy(attempt: number): number {
    return this.#spread(FIRST_BUSY * 2 ** attempt);
  }

  #spread(milliseconds: number): number {
    return milliseconds * (0.5 + this.#random() / 2);
  }
}
