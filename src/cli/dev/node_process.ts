import { join } from "node:path";
import { TextLineStream } from "./lines.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { type NodeEvent, parseNodeEvent } from "../node_event.ts";
import { LogFile } from "./log_file.ts";

/** Options of {@linkcode NodeProcess}. */
export interface NodeProcessOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Where `node.log` is written. */
  readonly directory: string;
  /** Is told what the process tells. */
  readonly onEvent: (event: NodeEvent) => void;
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
  #child: Deno.ChildProcess | undefined;
  /** Lines that were no events. */
  malformed = 0;

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
    this.#signal("SIGTERM");
  }

  async #runOnce(): Promise<number> {
    const [program, ...args] = this.#options.command;
    const child = new Deno.Command(program as string, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    const kill = setTimeoutOnAbort(
      this.#ending.signal,
      STOP_TIMEOUT,
      () => this.#signal("SIGKILL"),
    );
    const log = new LogFile(join(this.#options.directory, "node.log"));
    try {
      const [status] = await Promise.all([
        child.status,
        this.#readEvents(child.stdout),
        log.take(child.stderr),
      ]);
      return status.code;
    } finally {
      kill();
      this.#child = undefined;
      // Held open so far: its end would have told the process to end.
      await child.stdin.close().catch(() => {});
    }
  }

  async #readEvents(output: ReadableStream<Uint8Array>): Promise<void> {
    const lines = output.pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const event = parseNodeEvent(line);
      if (event === undefined) this.malformed++;
      else this.#options.onEvent(event);
    }
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch {
      // It is gone already.
    }
  }
}

/** Calls after some time from the abort; returns what prevents it. */
function setTimeoutOnAbort(
  signal: AbortSignal,
  milliseconds: number,
  act: () => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    timer = setTimeout(act, milliseconds);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", begin);
  };
}
