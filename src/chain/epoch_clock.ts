import { type Clock, systemClock } from "../core/clock.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { Chain } from "./chain.ts";
import { type EpochPosition, epochPosition, networkEpoch } from "./epoch.ts";
import type { BlockRef } from "./types.ts";

/** Options of {@linkcode ChainEpochClock}. */
export interface ChainEpochClockOptions {
  /** The chain. */
  readonly chain: Chain;
  /** The subnet. */
  readonly subnetId: number;
  /** The time; the machine's by default. Only pauses are taken from it. */
  readonly clock?: Clock;
  /**
   * Milliseconds that only go forward, whatever the machine's clock does;
   * `performance.now` by default.
   */
  readonly monotonic?: () => number;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** What the epoch clock shows. */
export interface EpochReading extends EpochPosition {
  /** The newest block. */
  readonly block: number;
  /** The network epoch of that block. */
  readonly networkEpoch: number;
  /** The subnet's block offset in an epoch; absent while it has none. */
  readonly slot: number | undefined;
  /** Blocks in an epoch. */
  readonly length: number;
  /** Seconds between blocks. */
  readonly blockSeconds: number;
  /** Milliseconds since the newest block was told. */
  readonly age: number;
  /** Milliseconds until the next subnet epoch's first block is due, at least 0. */
  readonly remainingMilliseconds: number;
}

interface Seen {
  readonly block: number;
  readonly slot: number | undefined;
  readonly epochLength: number;
  readonly blockMilliseconds: number;
  readonly at: number;
}

/** A reading that is older than this many block times is none any more. */
const STALE_BLOCKS = 20;
const RETRY_PAUSE = 1_000;

/**
 * Where the chain stands in the subnet's epochs, by its newest block: the
 * machine's clock, whether right or wrong, has no say.
 */
export class ChainEpochClock {
  readonly #options: ChainEpochClockOptions;
  readonly #clock: Clock;
  readonly #monotonic: () => number;
  readonly #metrics: Metrics;
  readonly #log = loggerOf("chain");
  #seen: Seen | undefined;

  /** Shows nothing before {@linkcode ChainEpochClock.run} or {@linkcode ChainEpochClock.read}. */
  constructor(options: ChainEpochClockOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#metrics = options.metrics ?? new MetricsRegistry();
  }

  /** Follows the chain until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const head of this.#options.chain.heads(signal)) {
          await this.read(head, signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn("The epoch cannot be read: {error}", { error });
      }
      if (signal.aborted) return;
      await this.#clock.sleep(RETRY_PAUSE, signal).catch(() => {});
    }
  }

  /** Takes in a block, the newest by default. @throws {ChainUnreadableError} */
  async read(head?: BlockRef, signal?: AbortSignal): Promise<void> {
    const { chain, subnetId } = this.#options;
    const at = this.#monotonic();
    const { epochLength, blockMilliseconds } = await chain.constants({
      signal,
    });
    const view = await chain.view(head, { signal });
    const subnet = await view.subnet(subnetId, { signal });
    this.#seen = {
      block: view.block.number,
      slot: subnet?.slot,
      epochLength,
      blockMilliseconds,
      at,
    };
    this.#metrics.gauge(
      "meshnode_epoch",
      epochPosition(view.block.number, subnet?.slot ?? 0, epochLength).epoch,
    );
  }

  /**
   * The position of the newest block; `undefined` before the first one, and
   * while none came for long.
   */
  now(): EpochReading | undefined {
    if (this.#seen === undefined) return undefined;
    const { block, slot, epochLength, blockMilliseconds, at } = this.#seen;
    const age = this.#monotonic() - at;
    if (age > STALE_BLOCKS * blockMilliseconds) return undefined;
    const position = epochPosition(block, slot ?? 0, epochLength);
    return {
      ...position,
      block,
      networkEpoch: networkEpoch(block, epochLength),
      slot,
      length: epochLength,
      blockSeconds: blockMilliseconds / 1_000,
      age,
      remainingMilliseconds: Math.max(
        0,
        position.remaining * blockMilliseconds - age,
      ),
    };
  }
}
