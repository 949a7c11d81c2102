import { ChainEpochClock } from "../chain/epoch_clock.ts";
import type { Clock } from "../core/clock.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import type { Metrics } from "../core/metrics.ts";
import type { EpochClock, EpochTime } from "../validation/key_rule.ts";
import type { NodeOptions } from "./options.ts";

/** How long the first look at the chain may take, ms. */
const FIRST_READ_TIMEOUT = 15_000;

/** The clock of the chain, read once; absent without a chain. @throws {ChainUnreadableError} */
export async function openEpochs(
  { chain, signal }: Pick<NodeOptions, "chain" | "signal">,
  subnetId: number,
  clock: Clock,
  metrics: Metrics,
): Promise<ChainEpochClock | undefined> {
  if (chain === undefined) return undefined;
  const epochs = new ChainEpochClock({
    ...{ chain: chain.chain, subnetId, clock, metrics },
  });
  using limit = deadline(FIRST_READ_TIMEOUT, signal);
  await raceSignal(epochs.read(undefined, limit.signal), limit.signal);
  return epochs;
}

/** A reading of the chain, with the milliseconds that have passed since. */
export interface ChainReading extends EpochTime {
  /** Milliseconds since the block of the reading was told. */
  readonly age: number;
}

/**
 * Goes on counting by time while the chain is away, so that records are judged
 * by the last known epoch and the hours since, and not refused altogether.
 */
export class SteadyEpochs implements EpochClock {
  readonly #chain: { now(): ChainReading | undefined };
  readonly #monotonic: () => number;
  #last: { readonly reading: ChainReading; readonly at: number } | undefined;

  /** Follows the chain's own clock; `monotonic` gives milliseconds that only go forward. */
  constructor(
    chain: { now(): ChainReading | undefined },
    monotonic: () => number = () => performance.now(),
  ) {
    this.#chain = chain;
    this.#monotonic = monotonic;
  }

  /** The position; `undefined` before the chain was read once. */
  now(): EpochTime | undefined {
    const now = this.#monotonic();
    const reading = this.#chain.now();
    if (reading !== undefined) {
      this.#last = { reading, at: now - reading.age };
      return reading;
    }
    if (this.#last === undefined) return undefined;
    const { reading: { epoch, elapsed, length, blockSeconds }, at } =
      this.#last;
    const blocks = elapsed + Math.floor((now - at) / (1_000 * blockSeconds));
    return {
      epoch: epoch + Math.floor(blocks / length),
      elapsed: blocks % length,
      length,
      blockSeconds,
    };
  }
}
