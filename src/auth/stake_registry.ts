import type { Chain, ChainView } from "../chain/chain.ts";
import { ChainUnreadableError } from "../chain/errors.ts";
import { atLeast, type BlockRef, type NodeClass } from "../chain/types.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { QuestionBudget } from "./question_budget.ts";
import type { StakeAnswer, StakeOracle, StakeQuestion } from "./stake.ts";
import { readStakeSnapshot, type StakeSnapshot } from "./stake_snapshot.ts";
import { Strangers } from "./strangers.ts";

/** Options of {@linkcode StakeRegistry}. */
export interface StakeRegistryOptions {
  /** The chain. */
  readonly chain: Chain;
  /** The subnet whose members are admitted. */
  readonly subnetId: number;
  /** Least class of a member; `idle` by default, as the documentation says. */
  readonly minClass?: NodeClass;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
  /** How long members stay admitted while the chain is away, seconds; 900 by default. */
  readonly grace?: number;
}

/**
 * How well the membership is known. `none`: never read. `fresh`: read at a
 * block of late. `stale`: the chain is away, members stay admitted. `expired`:
 * it was away for longer than the grace, nobody is admitted.
 */
export type StakeHealth = "none" | "fresh" | "stale" | "expired";

const READ_TIMEOUT = 5_000;
/** A membership this old is stale, ms: ten blocks that were not read. */
const STALE_AFTER = 60_000;
/** After a question that failed, none is asked for so long, ms. */
const BROKEN_PAUSE = 5_000;
/** A head this many blocks behind is no reorganization, but an endpoint that lags. */
const MOST_BLOCKS_BACK = 32;

/**
 * Who has stake: the subnet's membership at one block, refreshed block by
 * block, and a few questions about strangers.
 */
export class StakeRegistry implements StakeOracle {
  readonly #options: StakeRegistryOptions;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #minClass: NodeClass;
  readonly #grace: number;
  readonly #log = loggerOf("auth");
  #snapshot: StakeSnapshot | undefined;
  #highest = -1;
  #refreshed = -Infinity;
  readonly #strangers = new Strangers();
  readonly #asking = new Map<string, Promise<StakeAnswer>>();
  readonly #removed = new Set<(peerId: string) => void>();
  readonly #refreshedListeners = new Set<() => void>();
  readonly #stopping = new AbortController();
  readonly #budget: QuestionBudget;
  #brokenUntil = -Infinity;
  /** Whether the snapshot is what an earlier run of the node knew. */
  #ofEarlierRun = false;

  /** Knows nothing until {@linkcode StakeRegistry.run} reads the first block. */
  constructor(options: StakeRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#minClass = options.minClass ?? "idle";
    this.#grace = 1_000 * (options.grace ?? 900);
    this.#budget = new QuestionBudget(this.#clock.now());
  }

  /** When the membership was last read at a new block, in milliseconds; `-Infinity` before. */
  get refreshedAt(): number {
    return this.#refreshed;
  }

  /** How well the membership is known. */
  get health(): StakeHealth {
    if (this.#snapshot === undefined) return "none";
    const age = this.#clock.now() - this.#refreshed;
    // A short grace leaves no time to be stale.
    if (age > this.#grace) return "expired";
    if (this.#ofEarlierRun) return "stale";
    return age <= STALE_AFTER ? "fresh" : "stale";
  }

  /** Tells of peers that lost their stake. Returns what ends the telling. */
  onRemoved(listener: (peerId: string) => void): () => void {
    this.#removed.add(listener);
    return () => this.#removed.delete(listener);
  }

  /** Tells of every refresh. Returns what ends the telling. */
  onRefreshed(listener: () => void): () => void {
    this.#refreshedListeners.add(listener);
    return () => this.#refreshedListeners.delete(listener);
  }

  /** Refreshes with every block until the signal is aborted; call it once. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#follow(signal);
    } finally {
      this.#stopping.abort(signal.reason);
      await Promise.all(this.#asking.values());
    }
  }

  /**
   * Reads the membership at a block, the newest by default. What is known
   * stays when that fails.
   *
   * @throws {ChainUnreadableError}
   */
  async refresh(block?: BlockRef, signal?: AbortSignal): Promise<void> {
    const { chain, subnetId } = this.#options;
    using limit = deadline(READ_TIMEOUT, signal);
    const next = await readStakeSnapshot(chain, subnetId, block, limit.signal);
    const { number } = next.block;
    if (number < this.#highest - MOST_BLOCKS_BACK) {
      throw new ChainUnreadableError(
        `The chain's head is block ${number}, but block ${this.#highest} was ` +
          "seen before: what it says of stake is out of date.",
        { hint: "Check that the chain's endpoint is in step with the chain." },
      );
    }
    const before = this.#snapshot;
    this.#snapshot = next;
    this.#brokenUntil = -Infinity;
    // Only news keep members admitted: an endpoint may stand still.
    if (number > this.#highest) {
      this.#highest = number;
      this.#refreshed = this.#clock.now();
    }
    this.#tellMetrics();
    const gone = [...before?.classes ?? []].filter(([peerId, nodeClass]) =>
      atLeast(nodeClass, this.#minClass) && !this.#isMember(peerId)
    );
    for (const [peerId] of gone) this.#remove(peerId);
    const view = await chain.view(next.block, { signal: limit.signal });
    this.#ofEarlierRun = view.stale;
    await this.#recheck(view, limit.signal);
    this.#refreshedListeners.forEach((tell) => tell());
  }

  /** Answers without asking the chain; `undefined` about strangers. */
  peek(
    peerId: string,
    minClass: NodeClass = this.#minClass,
  ): StakeAnswer | undefined {
    const nodeClass = this.#snapshot?.classes.get(peerId);
    const answer = nodeClass === undefined
      ? this.#strangers.get(peerId, minClass, this.#clock.now())
      : atLeast(nodeClass, minClass)
      ? "staked"
      : "not-staked";
    return answer === "staked" && this.health === "expired"
      ? "unknown"
      : answer;
  }

  /** Answers, with one question at most about a stranger at a time. */
  async check(
    peerId: string,
    question: StakeQuestion = {},
  ): Promise<StakeAnswer> {
    const { minClass = this.#minClass, origin, signal } = question;
    const known = this.peek(peerId, minClass);
    if (known !== undefined) return known;
    const key = `${minClass} ${peerId}`;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      const now = this.#clock.now();
      if (now < this.#brokenUntil || !this.#budget.spend(origin, now)) {
        this.#metrics.count("meshnode_stake_questions_refused_total");
        return "unknown";
      }
      asking = this.#ask(peerId, minClass)
        .finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return await raceSignal(asking, signal).catch(() => "unknown" as const);
  }

  #isMember(peerId: string): boolean {
    const nodeClass = this.#snapshot?.classes.get(peerId);
    return nodeClass !== undefined && atLeast(nodeClass, this.#minClass);
  }

  #remove(peerId: string): void {
    this.#metrics.count("meshnode_stake_removed_total");
    this.#removed.forEach((tell) => tell(peerId));
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const block of this.#options.chain.heads(signal)) {
        await this.refresh(block, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#metrics.count("meshnode_stake_refresh_failures_total");
      this.#tellMetrics();
      this.#log.warn("The subnet's members cannot be read: {error}", { error });
    }
    await this.#clock.sleep(1_000, signal).catch(() => {});
  }

  /** Strangers of whom the chain said that they have stake are asked about with every block. */
  async #recheck(view: ChainView, signal: AbortSignal): Promise<void> {
    const { subnetId } = this.#options;
    await Promise.all(
      this.#strangers.staked().map(async ({ peerId, minClass }) => {
        if (this.#snapshot?.classes.has(peerId)) {
          return this.#strangers.forget(peerId, minClass);
        }
        const options = { signal };
        if (await view.proofOfStake(subnetId, peerId, minClass, options)) {
          return;
        }
        this.#strangers.set(peerId, minClass, false, this.#clock.now());
        if (minClass === this.#minClass) this.#remove(peerId);
      }),
    );
  }

  /** One question; waits for nobody who asked. */
  async #ask(peerId: string, minClass: NodeClass): Promise<StakeAnswer> {
    const { chain, subnetId } = this.#options;
    this.#metrics.count("meshnode_stake_questions_total");
    try {
      using limit = deadline(READ_TIMEOUT, this.#stopping.signal);
      const options = { signal: limit.signal };
      const view = await chain.view(undefined, options);
      const staked = await view.proofOfStake(
        subnetId,
        peerId,
        minClass,
        options,
      );
      this.#strangers.set(peerId, minClass, staked, this.#clock.now());
      return staked ? "staked" : "not-staked";
    } catch (error) {
      this.#brokenUntil = this.#clock.now() + BROKEN_PAUSE;
      this.#log.debug("The stake of {peerId} cannot be read: {error}", {
        peerId,
        error,
      });
      return "unknown";
    }
  }

  #tellMetrics(): void {
    this.#metrics.gauge(
      "meshnode_stake_members",
      [...this.#snapshot?.classes.keys() ?? []]
        .filter((peerId) => this.#isMember(peerId)).length,
    );
    this.#metrics.gauge("meshnode_stake_block", this.#highest);
    this.#metrics.gauge(
      "meshnode_stake_cache_age_seconds",
      Number.isFinite(this.#refreshed)
        ? (this.#clock.now() - this.#refreshed) / 1_000
        : -1,
    );
  }
}
