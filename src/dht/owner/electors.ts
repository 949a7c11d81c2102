import type { Clock } from "../../core/clock.ts";
import type { Neighbourhood } from "../neighbourhood.ts";
import { repeat } from "../repeat.ts";
import { Departed } from "./departed.ts";

/** How often it is noted who is there, ms. */
const TICK = 1_000;

/** What {@linkcode Electors} work with. */
export interface ElectorsParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** Who is there. */
  readonly neighbourhood: Neighbourhood;
  /** How many of them decide. */
  readonly numReplicas: number;
  /** The time. */
  readonly clock: Clock;
}

/** Those who decide about conditional stores: a key's replicas, and who would be one if it had not left just now. */
export class Electors {
  readonly #parts: ElectorsParts;
  readonly #departed = new Departed();

  /** Chosen among these peers. */
  constructor(parts: ElectorsParts) {
    this.#parts = parts;
  }

  /** Those of a key, nearest first, among who was found there and who left lately. */
  of(key: Uint8Array, found: readonly string[]): readonly string[] {
    const { neighbourhood, numReplicas } = this.#parts;
    this.#note();
    const peers = [...found, ...this.#departed.peers()];
    return neighbourhood.among(peers)(key, numReplicas);
  }

  /** Notes who is there, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void> {
    return repeat(this.#parts.clock, () => TICK, () => this.#note(), signal);
  }

  #note(): void {
    const { neighbourhood, peerId, clock } = this.#parts;
    // We ourselves do not leave.
    const others = neighbourhood.peers().filter((each) => each !== peerId);
    this.#departed.note(others, clock.now());
  }
}
