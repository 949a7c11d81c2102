import {
  type BlockRef,
  ChainSubmitError,
  ChainUnreadableError,
  type Receipt,
  type WriteOptions,
} from "../../mod.ts";

/** What goes wrong between one node and the chain. */
export interface ChainFaults {
  /** Reasons for which nothing is read, and no call arrives. */
  away: number;
  /** Calls arrive so many blocks late. */
  late: number;
  /** What becomes of calls. */
  calls: "lost-receipt" | "dropped" | "stale" | undefined;
}

/** Does what a call asks for, in a block. */
export type Act = (block: number) => void;

interface Pending {
  readonly act: Act;
  readonly from: number;
  readonly notAfter: number;
  readonly told: (error: unknown, block?: BlockRef) => void;
}

/** The error of a chain that is away. */
export function away(): ChainUnreadableError {
  return new ChainUnreadableError("The chain is away.");
}

/** The calls that wait for a block, as the local chain treats them. */
export class SimPool {
  #pending: Pending[] = [];

  /** Sends a call while a block is the newest one. */
  send(
    act: Act,
    { signal, notAfter = Infinity }: WriteOptions,
    faults: ChainFaults,
    height: number,
  ): Promise<Receipt> {
    const { calls, late } = faults;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (calls === "stale") {
      return Promise.reject(new ChainSubmitError("look", "1010 stale"));
    }
    if (faults.away > 0) return Promise.reject(away());
    const next = height + 1;
    if (next > notAfter) {
      return Promise.reject(new ChainSubmitError("stop", "It is too late."));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>();
    const lost = () => reject(new ChainSubmitError("look", "It is lost."));
    this.#pending.push({
      act: calls === "dropped" ? () => {} : act,
      from: next + late,
      notAfter,
      told: (error, block) => {
        // A call that was sent is included whether or not its sender lives.
        if (signal?.aborted) reject(signal.reason);
        else if (calls === "dropped") lost();
        else if (block === undefined) reject(error);
        else if (calls === "lost-receipt") lost();
        else resolve({ block });
      },
    });
    promise.catch(() => {});
    return promise;
  }

  /** Whether a block has something to include. */
  isDue(height: number): boolean {
    return this.#pending.some(({ from }) => from <= height);
  }

  /** Includes what a block may include, each by itself. */
  include(block: BlockRef, transact: (act: () => void) => void): void {
    const { number } = block;
    const due = this.#pending.filter(({ from }) => from <= number);
    this.#pending = this.#pending.filter(({ from }) => from > number);
    for (const { act, notAfter, told } of due) {
      if (number > notAfter) {
        told(new ChainSubmitError("look", "It was not included in time."));
        continue;
      }
      try {
        transact(() => act(number));
        told(undefined, block);
      } catch (error) {
        told(error);
      }
    }
  }
}
