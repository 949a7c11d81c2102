import type { Chain } from "../chain/chain.ts";
import { epochPosition } from "../chain/epoch.ts";
import { atLeast, type BlockRef, type NodeClass } from "../chain/types.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { StakeAnswer, StakeOracle } from "./stake.ts";

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
  /** How long members stay admitted while the chain is away, seconds; 600 by default. */
  readonly grace?: number;
}

interface Asked {
  readonly answer: StakeAnswer;
  readonly until: number;
}

/** A stranger's stake is believed for so long, ms; as the Mesh Template does. */
const STAKED_LIFE = 300_000;
const NOT_STAKED_LIFE = 20_000;
const READ_TIMEOUT = 5_000;
/** Questions about strangers in a minute. */
const BUDGET = 60;
const MAX_ASKED = 4_096;

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
  #members: ReadonlySet<string> = new Set();
  #refreshed = -Infinity;
  readonly #asked = new Map<string, Asked>();
  readonly #asking = new Map<string, Promise<StakeAnswer>>();
  readonly #removed = new Set<(peerId: string) => void>();
  #budget = BUDGET;
  #budgetSince = -Infinity;

  /** Knows nothing until {@linkcode StakeRegistry.run} reads the first block. */
  constructor(options: StakeRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#minClass = options.minClass ?? "idle";
    this.#grace = 1_000 * (options.grace ?? 600);
  }

  /** When the membership was last read, in milliseconds; `-Infinity` before. */
  get refreshedAt(): number {
    return this.#refreshed;
  }

  /** Tells of peers that lost their stake. Returns what ends the telling. */
  onRemoved(listener: (peerId: string) => void): () => void {
    this.#removed.add(listener);
    return () => this.#removed.delete(listener);
  }

  /** Refreshes with every block until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const block of this.#options.chain.heads(signal)) {
          await this.refresh(block, signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#metrics.count("meshnode_stake_refresh_failures_total");
        this.#log.warn("The subnet's members cannot be read: {error}", {
          error,
        });
        await this.#clock.sleep(1_000, signal).catch(() => {});
      }
    }
  }

  /** Reads the membership at a block, the newest by default. @throws {ChainUnreadableError} */
  async refresh(block?: BlockRef, signal?: AbortSignal): Promise<void> {
    using limit = deadline(READ_TIMEOUT, signal);
    const members = await this.#read(block, limit.signal);
    const gone = [...this.#members].filter((peerId) => !members.has(peerId));
    this.#members = members;
    this.#refreshed = this.#clock.now();
    this.#metrics.gauge("meshnode_stake_members", members.size);
    for (const peerId of gone) {
      this.#asked.delete(peerId);
      this.#removed.forEach((tell) => tell(peerId));
    }
  }

  /** Answers without asking the chain; `undefined` about strangers. */
  peek(peerId: string): StakeAnswer | undefined {
    const now = this.#clock.now();
    if (this.#members.has(peerId)) {
      return now - this.#refreshed <= this.#grace ? "staked" : "unknown";
    }
    const asked = this.#asked.get(peerId);
    return asked !== undefined && asked.until > now ? asked.answer : undefined;
  }

  /** Answers, with one question at most about a stranger at a time. */
  check(peerId: string, signal?: AbortSignal): Promise<StakeAnswer> {
    const known = this.peek(peerId);
    if (known !== undefined) return Promise.resolve(known);
    const present = this.#asking.get(peerId);
    if (present !== undefined) return present;
    if (!this.#spend()) {
      this.#metrics.count("meshnode_stake_questions_refused_total");
      return Promise.resolve("unknown");
    }
    const asking = this.#ask(peerId, signal).finally(() =>
      this.#asking.delete(peerId)
    );
    this.#asking.set(peerId, asking);
    return asking;
  }

  async #ask(peerId: string, signal?: AbortSignal): Promise<StakeAnswer> {
    const { chain, subnetId } = this.#options;
    this.#metrics.count("meshnode_stake_questions_total");
    try {
      using limit = deadline(READ_TIMEOUT, signal);
      const options = { signal: limit.signal };
      const view = await chain.view(undefined, options);
      const staked = await view.proofOfStake(
        subnetId,
        peerId,
        this.#minClass,
        options,
      );
      if (this.#asked.size >= MAX_ASKED) this.#asked.clear();
      const answer = staked ? "staked" : "not-staked";
      const life = staked ? STAKED_LIFE : NOT_STAKED_LIFE;
      this.#asked.set(peerId, { answer, until: this.#clock.now() + life });
      return answer;
    } catch (error) {
      this.#log.debug("The stake of {peerId} cannot be read: {error}", {
        peerId,
        error,
      });
      return "unknown";
    }
  }

  async #read(
    block: BlockRef | undefined,
    signal: AbortSignal,
  ): Promise<Set<string>> {
    const { chain, subnetId } = this.#options;
    const { epochLength } = await chain.constants({ signal });
    const view = await chain.view(block, { signal });
    const subnet = await view.subnet(subnetId, { signal });
    if (subnet === undefined) return new Set();
    const { epoch } = epochPosition(
      view.block.number,
      subnet.slot ?? 0,
      epochLength,
    );
    const nodes = await view.nodes(subnetId, { signal });
    const bootnodes = await view.bootnodes(subnetId, { signal });
    const staked = nodes.filter((node) =>
      atLeast(node.nodeClass, this.#minClass) && node.startEpoch <= epoch &&
      node.stake >= subnet.minStake
    );
    return new Set([
      ...staked.flatMap(({ peer, bootnode, client }) =>
        [peer, bootnode, client].flatMap((each) => each?.peerId ?? [])
      ),
      ...bootnodes.map(({ peerId }) => peerId),
    ]);
  }

  #spend(): boolean {
    const now = this.#clock.now();
    if (now - this.#budgetSince >= 60_000) {
      this.#budget = BUDGET;
      this.#budgetSince = now;
    }
    return this.#budget-- > 0;
  }
}
