import { type Clock, systemClock } from "../../core/clock.ts";
import { NodeChild, type NodeChildOptions } from "./node_child.ts";

/** Options of {@linkcode NodeProcess}. */
export interface NodeProcessOptions extends NodeChildOptions {
  /** Is told when the process ended by itself, and when it starts anew. */
  readonly onExit: (code: number, restartIn: number) => void;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
}

const FIRST_PAUSE = 1_000;
const LAST_PAUSE = 30_000;
/** A process that ran this long starts anew without a longer pause, ms. */
const STEADY = 60_000;
/** How long a process may take to end, ms. */
const STOP_TIMEOUT = 4_000;

/** A node in a process of its own, started anew when it ends by itself. */
export class NodeProcess {
  readonly #options: NodeProcessOptions;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #child: NodeChild | undefined;

  /** Starts nothing before {@linkcode NodeProcess.run}. */
  constructor(options: NodeProcessOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Keeps the process running until {@linkcode NodeProcess.stop}; gives its last exit code. */
  async run(): Promise<number> {
    const { signal } = this.#ending;
    let pause = FIRST_PAUSE;
    let code = 0;
    while (!signal.aborted) {
      const start = this.#clock.now();
      code = await this.#runOnce();
      if (signal.aborted) break;
      if (this.#clock.now() - start > STEADY) pause = FIRST_PAUSE;
      this.#options.onExit(code, pause);
      await this.#clock.sleep(pause, signal).catch(() => {});
      pause = Math.min(2 * pause, LAST_PAUSE);
    }
    return code;
  }

  /** Asks the process to end; after some time it is ended. */
  stop(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#child?.end(STOP_TIMEOUT);
  }

  async #runOnce(): Promise<number> {
    this.#child = new NodeChild(this.#options);
    try {
      return await this.#child.ended;
    } finally {
      this.#child = undefined;
    }
  }
}
