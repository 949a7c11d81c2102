import { join } from "node:path";
import { type NodeEvent, parseNodeEvent } from "../node_event.ts";
import { TextLineStream } from "./lines.ts";
import { LogFile } from "./log_file.ts";

/** Options of {@linkcode NodeChild}. */
export interface NodeChildOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Where `node.log` is written. */
  readonly directory: string;
  /** Is told what the process tells. */
  readonly onEvent: (event: NodeEvent) => void;
}

/** A node's process, from its start to its end. */
export class NodeChild {
  readonly #child: Deno.ChildProcess;
  #stuck: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** Its exit code, once it has ended and everything that it told was taken in. */
  readonly ended: Promise<number>;

  /** Starts the process. */
  constructor(options: NodeChildOptions) {
    const [program, ...args] = options.command;
    this.#child = new Deno.Command(program as string, {
      args,
      // Held open: its end tells the process to end, should this one be killed.
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#follow(options);
  }

  /** Sends a signal, to a process that may be gone already. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It is gone already.
    }
  }

  /** Asks the process to end; after some time, in ms, it is ended. */
  end(timeout: number): void {
    if (this.#isOver) return;
    this.signal("SIGTERM");
    this.#stuck ??= setTimeout(() => this.signal("SIGKILL"), timeout);
  }

  async #follow({ directory, onEvent }: NodeChildOptions): Promise<number> {
    const log = new LogFile(join(directory, "node.log"));
    try {
      const [{ code }] = await Promise.all([
        this.#child.status,
        this.#readEvents(onEvent),
        log.take(this.#child.stderr),
      ]);
      return code;
    } finally {
      this.#isOver = true;
      clearTimeout(this.#stuck);
      await this.#child.stdin.close().catch(() => {});
    }
  }

  async #readEvents(onEvent: (event: NodeEvent) => void): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const event = parseNodeEvent(line);
      if (event !== undefined) onEvent(event);
    }
  }
}
