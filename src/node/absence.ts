import { loggerOf } from "../core/log.ts";
import type { HeartbeatAnnouncer } from "../heartbeat/mod.ts";
import type { Host } from "../network/mod.ts";

/** What {@linkcode Absence} moves. */
export interface AbsenceParts {
  /** The node's connections. */
  readonly host: Pick<Host, "leave" | "enter">;
  /** Tells the others. */
  readonly heartbeat: Pick<HeartbeatAnnouncer, "setState" | "told">;
  /** Is called when the node may join again. */
  readonly onEnter: () => void;
}

/** Leaves the mesh while there is nothing to do in it, and enters it again. */
export class Absence {
  readonly #parts: AbsenceParts;
  readonly #log = loggerOf("node");
  #wanted = false;
  #is = false;
  #moving: Promise<void> | undefined;

  /** In the mesh at first. */
  constructor(parts: AbsenceParts) {
    this.#parts = parts;
  }

  /** Whether the node is away, or about to be. */
  get isAway(): boolean {
    return this.#wanted;
  }

  /** Leaves or enters; the promise ends when that is done. */
  async set(away: boolean): Promise<void> {
    this.#wanted = away;
    this.#moving ??= this.#move().finally(() => this.#moving = undefined);
    await this.#moving;
  }

  /** What is wanted may change while it is being done. */
  async #move(): Promise<void> {
    while (this.#is !== this.#wanted) {
      this.#is = this.#wanted;
      if (this.#is) await this.#leave();
      else this.#enter();
    }
  }

  async #leave(): Promise<void> {
    const { host, heartbeat } = this.#parts;
    this.#log.info("Leaving the mesh: there is nothing to do in it now.");
    heartbeat.setState("offline");
    // The others are told while they can be.
    await heartbeat.told();
    await host.leave();
  }

  #enter(): void {
    const { host, heartbeat, onEnter } = this.#parts;
    this.#log.info("Entering the mesh again.");
    host.enter();
    heartbeat.setState("joining");
    onEnter();
  }
}
