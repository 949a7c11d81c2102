import { setImmediate } from "node:timers";

/** How long the calls of one stream are worked on before all else has its turn, ms. */
const TURN = 4;

/**
 * Shares the process among streams. What is at hand of one stream is answered
 * without a pause, and a peer that sends without one would keep all others
 * waiting for as long as its bytes last.
 */
export class Turn {
  #began = performance.now();

  /** Lets everything else that is due happen, if this stream had its turn. */
  async pass(): Promise<void> {
    if (performance.now() - this.#began < TURN) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#began = performance.now();
  }
}
