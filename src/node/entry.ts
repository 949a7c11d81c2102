import type { Clock } from "../core/clock.ts";
import type { Host } from "../network/mod.ts";

/** How often the node looks whether it is in the mesh, ms. */
const TICK = 100;

/** What {@linkcode Entry} looks at. */
export interface EntryParts {
  /** The node's connections. */
  readonly host: Pick<Host, "members">;
  /** The node's own peer id. */
  readonly peerId: string;
  /** Addresses that the mesh is entered through. */
  readonly bootstrap: readonly string[];
  /** The time. */
  readonly clock: Clock;
}

/** Whether a node is in the mesh: another one is there, or it is the first. */
export class Entry {
  readonly #parts: EntryParts;

  /** Looks at nothing yet. */
  constructor(parts: EntryParts) {
    this.#parts = parts;
  }

  /** Whether the node is in. */
  get isMade(): boolean {
    return this.#isFirst || this.#parts.host.members().length > 0;
  }

  /** Waits until the node is in; false when it shall not be any more. */
  async made(isWanted: () => boolean, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && isWanted()) {
      if (this.isMade) return true;
      await this.#parts.clock.sleep(TICK, signal).catch(() => {});
    }
    return false;
  }

  /** Whether there is nobody to enter the mesh through. */
  get #isFirst(): boolean {
    const { bootstrap, peerId } = this.#parts;
    return bootstrap.every((address) => address.endsWith(`/p2p/${peerId}`));
  }
}
