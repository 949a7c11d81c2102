import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LogFile } from "../../src/cli/dev/log_file.ts";
import { TextLineStream } from "../../src/cli/dev/lines.ts";
import { type NodeEvent, parseNodeEvent } from "../../src/cli/node_event.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type FaultKind, isNetworkFault } from "./faults.ts";
import type { Up } from "./judge.ts";

/** How long a process may take to end, ms. */
const STOP_TIMEOUT = 6_000;
const RETRY_PAUSE = 20;
/**
 * TCP repeats what was lost after ever longer pauses: what was cut for a while
 * comes through again within as long. This is the least, ms.
 */
const LEAST_SILENCE = 1_000;

/** Options of {@linkcode NodeUnderFault}. */
export interface NodeUnderFaultOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Where `node.log` is written. */
  readonly directory: string;
  /** The chain that it shares with others. */
  readonly chainPath: string;
  /** Is told what the process tells. */
  readonly onEvent: (event: NodeEvent) => void;
}

/** A node's process that is ended, frozen and brought back as told. */
export class NodeUnderFault {
  readonly #options: NodeUnderFaultOptions;
  readonly #ups: { from: number; to: number }[] = [];
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<number> = Promise.resolve(0);
  /** Faults and cures, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #hurt = false;
  /** When its network was cut, and from when on the others hear it again, ms. */
  #cutAt = 0;
  #backAt = 0;
  /** How often it ended by itself. */
  crashes = 0;

  /** Starts the process. */
  constructor(options: NodeUnderFaultOptions) {
    this.#options = options;
    this.#start();
  }

  /** When it was online, and heard by the others. */
  get ups(): readonly Up[] {
    return this.#ups;
  }

  /** Whether it is online, as far as it told. */
  get isUp(): boolean {
    return this.#ups.at(-1)?.to === Infinity;
  }

  /** Hurts it. */
  hurt(kind: FaultKind): void {
    this.#hurt = true;
    this.#down();
    if (isNetworkFault(kind)) {
      this.#cutAt = systemClock.now();
      return;
    }
    this.#work = this.#work.then(async () => {
      if (kind === "freeze") await this.#freeze();
      else await this.#end(kind === "kill" ? "SIGKILL" : "SIGTERM");
    });
  }

  /** Brings it back. */
  mend(kind: FaultKind): void {
    if (isNetworkFault(kind)) {
      const now = systemClock.now();
      this.#backAt = now + Math.max(LEAST_SILENCE, now - this.#cutAt);
      this.#hurt = false;
      return;
    }
    this.#work = this.#work.then(() => {
      this.#hurt = false;
      if (kind === "freeze") this.#signal("SIGCONT");
      else this.#start();
    });
  }

  /** Ends it for good, and gives its exit code. */
  async stop(): Promise<number> {
    await this.#work;
    this.#hurt = true;
    this.#down();
    this.#signal("SIGCONT");
    return await this.#end("SIGTERM");
  }

  async #end(signal: Deno.Signal): Promise<number> {
    this.#signal(signal);
    const stuck = setTimeout(() => this.#signal("SIGKILL"), STOP_TIMEOUT);
    const code = await this.#ended;
    clearTimeout(stuck);
    return code;
  }

  /** A cut cable leaves no lock on the file that stands in for a chain. */
  async #freeze(): Promise<void> {
    for (;;) {
      this.#signal("SIGSTOP");
      if (!isLocked(this.#options.chainPath)) return;
      this.#signal("SIGCONT");
      await systemClock.sleep(RETRY_PAUSE);
    }
  }

  #start(): void {
    const [program, ...args] = this.#options.command;
    const child = new Deno.Command(program as string, {
      args,
      // Held open: its end tells the process to end, should this one be killed.
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#ended = this.#follow(child);
  }

  async #follow(child: Deno.ChildProcess): Promise<number> {
    const log = new LogFile(join(this.#options.directory, "node.log"));
    const [{ code }] = await Promise.all([
      child.status,
      this.#readEvents(child.stdout),
      log.take(child.stderr),
    ]);
    await child.stdin.close().catch(() => {});
    if (!this.#hurt) {
      this.crashes++;
      this.#down();
    }
    return code;
  }

  async #readEvents(output: ReadableStream<Uint8Array>): Promise<void> {
    for await (const line of output.pipeThrough(new TextLineStream())) {
      const event = parseNodeEvent(line);
      if (event === undefined) continue;
      if (event.event === "status") {
        if (event.state !== "online") this.#down();
        else if (
          !this.#hurt && !this.isUp && systemClock.now() >= this.#backAt
        ) {
          this.#ups.push({ from: systemClock.now(), to: Infinity });
        }
      }
      this.#options.onEvent(event);
    }
  }

  #down(): void {
    const last = this.#ups.at(-1);
    if (last?.to === Infinity) last.to = systemClock.now();
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch {
      // It is gone already.
    }
  }
}

/** Whether anybody holds the file, so that others cannot write. */
function isLocked(path: string): boolean {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch {
    return true;
  } finally {
    db.close();
  }
}
