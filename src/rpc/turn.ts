import { passTurn } from "../core/clock.ts";

/** How long the calls of one stream are worked on before all else has its turn, ms. */
const TURN = 4;

/**
 * Shares the process among streams. What is at hand of one stream is answered
 * without a pause, and a peer that sends without one would keep all others
 * waiting for as long as its bytes last.
 */
export class Turn {
  #began = performance.now();

  /** Says that there was nothing to work on, and all else could happen. */
  begin(): void {
    this.#began = performance.now();
  }

  /** Whether this stream had its turn, and has to {@linkcode Turn.pass} it on. */
  get isOver(): boolean {
    return performance.now() - this.#began >= TURN;
  }

  /** Lets everything else that is due happen. */
  async pass(): Promise<void> {
    await passTurn();
    this.begin();
  }
}
