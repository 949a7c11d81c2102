import { DatabaseSync } from "node:sqlite";
import {
  NodeChild,
  type NodeChildOptions,
} from "../../src/cli/dev/node_child.ts";
import type { NodeEvent } from "../../src/cli/node_event.ts";
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
export interface NodeUnderFaultOptions extends NodeChildOptions {
  /** The chain that it shares with others. */
  readonly chainPath: string;
}

/** A node's process that is ended, frozen and brought back as told. */
export class NodeUnderFault {
  readonly #options: NodeUnderFaultOptions;
  readonly #ups: { from: number; to: number }[] = [];
  #child: NodeChild;
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
    this.#child = this.#start();
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
      else {
        if (kind === "kill") this.#child.signal("SIGKILL");
        await this.#end();
      }
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
      if (kind === "freeze") this.#child.signal("SIGCONT");
      else this.#child = this.#start();
    });
  }

  /** Ends it for good, and gives its exit code. */
  async stop(): Promise<number> {
    await this.#work;
    this.#hurt = true;
    this.#down();
    this.#child.signal("SIGCONT");
    return await this.#end();
  }

  async #end(): Promise<number> {
    this.#child.end(STOP_TIMEOUT);
    return await this.#ended;
  }

  /** A cut cable leaves no lock on the file that stands in for a chain. */
  async #freeze(): Promise<void> {
    for (;;) {
      this.#child.signal("SIGSTOP");
      if (!isLocked(this.#options.chainPath)) return;
      this.#child.signal("SIGCONT");
      await systemClock.sleep(RETRY_PAUSE);
    }
  }

  #start(): NodeChild {
    const child = new NodeChild({
      ...this.#options,
      onEvent: (event) => this.#onEvent(event),
    });
    this.#ended = child.ended.finally(() => this.#onEnd());
    return child;
  }

  #onEnd(): void {
    if (this.#hurt) return;
    this.crashes++;
    this.#down();
  }

  #onEvent(event: NodeEvent): void {
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

  #down(): void {
    const last = this.#ups.at(-1);
    if (last?.to === Infinity) last.to = systemClock.now();
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
