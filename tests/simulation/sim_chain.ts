import {
  type BlockRef,
  type Chain,
  ChainCallError,
  type ChainSigner,
  ChainSubmitError,
  ChainUnreadableError,
  type ConsensusSubmission,
  epochPosition,
  firstBlockOf,
  ONE,
  type Proposal,
  type Receipt,
  type SubnetNodeInfo,
  type WriteOptions,
} from "../../mod.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

/** Blocks in an epoch, its slot, and milliseconds between blocks. */
export const LENGTH = 20;
export const SLOT = 3;
export const BLOCK = 6_000;
const SUBNET = 1;

interface Pending {
  readonly act: (block: number) => void;
  readonly from: number;
  readonly notAfter: number;
  readonly told: (error?: unknown, block?: number) => void;
}

/** What goes wrong between one node and the chain. */
export interface ChainFaults {
  /** Nothing is read, and no call arrives. */
  away: boolean;
  /** Calls arrive so many blocks late. */
  late: number;
  /** What becomes of calls. */
  calls: "lost-receipt" | "dropped" | "stale" | undefined;
}

/**
 * The chain of a simulation: the rules of the local development chain, in
 * memory, with blocks that may come late.
 */
export class SimChain {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #times: number[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #elected = new Map<number, number>();
  readonly #submissions = new Map<number, ConsensusSubmission>();
  #pending: Pending[] = [];
  #first: number;
  /** The nodes; all of them validators. */
  nodes: readonly SubnetNodeInfo[] = [];
  /** Is told of a node that sends a proposal although its first one is in. */
  doubled: (nodeId: number) => void = () => {};
  /** Is told of every block. */
  onBlock: (height: number) => void = () => {};
  /** How late a block may come, ms. */
  lateness = 0;

  /** Begins at block 0. */
  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
    this.#first = 0;
    this.#times.push(clock.now());
    this.#plan();
  }

  /** The newest block's number. */
  get height(): number {
    return this.#first + this.#times.length - 1;
  }

  /** The node elected for an epoch; nobody before its first block. */
  elected(epoch: number): number | undefined {
    return this.#elected.get(epoch);
  }

  /** The epoch of a block. */
  epoch(block = this.height): number {
    return epochPosition(block, SLOT, LENGTH).epoch;
  }

  /** Elects a node, as a test wants it. */
  elect(epoch: number, nodeId: number): void {
    this.#elected.set(epoch, nodeId);
  }

  /** An epoch's proposal. */
  submission(epoch: number): ConsensusSubmission | undefined {
    return this.#submissions.get(epoch);
  }

  /** What a node of this hotkey sees of the chain, with faults of its own. */
  port(
    hotkey: string,
    delay: () => number,
  ): { chain: Chain; signer: ChainSigner; faults: ChainFaults } {
    const faults: ChainFaults = { away: false, late: 0, calls: undefined };
    const read = <T>(value: () => T): Promise<T> =>
      faults.away
        ? Promise.reject(new ChainUnreadableError("It is away."))
        : Promise.resolve(value());
    const own = () => this.nodes.find((node) => node.hotkey === hotkey);
    const chain: Chain = {
      constants: () =>
        read(() => ({
          epochLength: LENGTH,
          blockMilliseconds: BLOCK,
          genesis: "0x",
        })),
      head: () => read(() => refOf(this.height)),
      heads: (signal) => this.#heads(signal, faults, delay),
      blockAt: (number) =>
        read(() => number <= this.height ? refOf(number) : undefined),
      view: (block) => {
        const at = block ?? refOf(this.height);
        return read(() => ({
          block: at,
          stale: false,
          time: () => read(() => this.#timeOf(at.number)),
          subnet: () =>
            read(() => ({
              id: SUBNET,
              name: "simulated",
              state: "active",
              startEpoch: 0,
              slot: SLOT,
              minStake: 0n,
            })),
          nodes: () => read(() => this.nodes),
          nodeOfHotkey: () => read(own),
          electedValidator: (_, epoch) =>
            read(() =>
              at.number < firstBlockOf(epoch, SLOT, LENGTH)
                ? undefined
                : this.#elected.get(epoch)
            ),
          submission: (_, epoch) =>
            read(() => seenAt(this.#submissions.get(epoch), at.number)),
          attestors: () => read(() => this.nodes.map(({ id }) => id)),
          bootnodes: () => read(() => []),
          proofOfStake: () => read(() => true),
          balance: () => read(() => ONE),
        }));
      },
      close: () => Promise.resolve(),
    };
    const send = (
      act: (block: number) => void,
      options: WriteOptions = {},
    ): Promise<Receipt> => this.#send(act, options, faults);
    return {
      chain,
      faults,
      signer: {
        hotkey,
        propose: (proposal, options) => {
          return send(
            (block) => this.#propose(own(), proposal, block),
            options,
          );
        },
        attest: (_, options) =>
          send((block) => this.#attest(own(), block), options),
      },
    };
  }

  #plan(): void {
    const late = this.lateness > 0 && this.#random.happens(0.05)
      ? this.#random.between(0, this.lateness)
      : 0;
    this.#clock.after(BLOCK + late, () => this.#produce());
  }

  #produce(): void {
    this.#times.push(this.#clock.now());
    if (this.#times.length > 4 * LENGTH) {
      this.#times.shift();
      this.#first++;
    }
    const { height } = this;
    const { epoch, elapsed, beforeSlot } = epochPosition(height, SLOT, LENGTH);
    if (!beforeSlot && elapsed === 0 && !this.#elected.has(epoch)) {
      this.#elected.set(epoch, this.#random.pick(this.nodes).id);
    }
    for (const map of [this.#elected, this.#submissions]) map.delete(epoch - 8);
    const due = this.#pending.filter(({ from }) => from <= height);
    this.#pending = this.#pending.filter(({ from }) => from > height);
    for (const { act, notAfter, told } of due) {
      if (height > notAfter) {
        told(new ChainSubmitError("look", "It was not included in time."));
        continue;
      }
      try {
        act(height);
        told(undefined, height);
      } catch (error) {
        told(error);
      }
    }
    this.onBlock(height);
    for (const listener of [...this.#listeners]) listener();
    this.#plan();
  }

  #timeOf(block: number): number {
    return this.#times[Math.max(0, block - this.#first)] as number;
  }

  async *#heads(
    signal: AbortSignal,
    faults: ChainFaults,
    delay: () => number,
  ): AsyncGenerator<BlockRef> {
    for (let last = -1; !signal.aborted;) {
      if (this.height > last && !faults.away) {
        last = this.height;
        yield refOf(last);
        continue;
      }
      // Who was away hears of the newest block as soon as it is back.
      if (faults.away) {
        await this.#clock.sleep(500 + delay(), signal).catch(() => {});
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      let cancel = () => {};
      const hear = () => {
        cancel = this.#clock.after(delay(), resolve);
        this.#listeners.delete(hear);
      };
      const end = () => {
        this.#listeners.delete(hear);
        cancel();
        resolve();
      };
      this.#listeners.add(hear);
      signal.addEventListener("abort", end, { once: true });
      await promise;
      signal.removeEventListener("abort", end);
    }
  }

  #send(
    act: (block: number) => void,
    { signal, notAfter = Infinity }: WriteOptions,
    faults: ChainFaults,
  ): Promise<Receipt> {
    const { calls, away, late } = faults;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (away) return Promise.reject(new ChainSubmitError("retry", "away"));
    if (calls === "stale") {
      return Promise.reject(new ChainSubmitError("look", "1010 stale"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>();
    const lost = () => reject(new ChainSubmitError("look", "It is lost."));
    if (calls === "dropped") {
      this.#clock.after(2 * BLOCK, lost);
      return promise;
    }
    this.#pending.push({
      act,
      from: this.height + 1 + late,
      notAfter,
      told: (error, block) => {
        // A call that was sent is included whether or not its sender lives.
        if (signal?.aborted) reject(signal.reason);
        else if (calls === "lost-receipt") this.#clock.after(BLOCK / 2, lost);
        else if (error !== undefined) reject(error);
        else resolve({ block: refOf(block as number) });
      },
    });
    promise.catch(() => {});
    return promise;
  }

  #propose(
    node: SubnetNodeInfo | undefined,
    { scores }: Proposal,
    block: number,
  ): void {
    const epoch = this.epoch(block);
    if (node === undefined || this.#elected.get(epoch) !== node.id) {
      throw new ChainCallError("InvalidValidator", "It is not elected.");
    }
    if (this.#submissions.has(epoch)) {
      this.doubled(node.id);
      throw new ChainCallError("SubnetRewardsAlreadySubmitted", "It has one.");
    }
    this.#submissions.set(epoch, {
      validatorId: node.id,
      block,
      attestations: new Map([[node.id, { block, data: undefined }]]),
      scores,
      electorate: this.nodes.map(({ id }) => id),
      prioritizeQueueNodeId: undefined,
      removeQueueNodeId: undefined,
    });
  }

  #attest(node: SubnetNodeInfo | undefined, block: number): void {
    const submission = this.#submissions.get(this.epoch(block));
    if (node === undefined || submission === undefined) {
      throw new ChainCallError(
        "InvalidSubnetConsensusSubmission",
        "There is none.",
      );
    }
    if (submission.attestations.has(node.id)) {
      throw new ChainCallError("AlreadyAttested", "It has.");
    }
    (submission.attestations as Map<number, unknown>).set(node.id, {
      block,
      data: undefined,
    });
  }
}

function refOf(number: number): BlockRef {
  return { number, hash: `0x${number}` };
}

function seenAt(
  submission: ConsensusSubmission | undefined,
  block: number,
): ConsensusSubmission | undefined {
  if (submission === undefined || submission.block > block) return undefined;
  return {
    ...submission,
    attestations: new Map(
      [...submission.attestations].filter(([, each]) => each.block <= block),
    ),
  };
}
