import {
  type BlockRef,
  type Chain,
  ChainCallError,
  type ChainSigner,
  ChainUnreadableError,
  type ChainView,
  type ConsensusSubmission,
  epochPosition,
  type EpochTime,
  type Proposal,
  type SubnetNodeInfo,
  type WriteOptions,
} from "../../mod.ts";
import {
  attest,
  propose,
  register,
  type Registration,
} from "../../src/chain/local/calls.ts";
import {
  type LocalChainFacts,
  writeFacts,
} from "../../src/chain/local/facts.ts";
import { changeFrom } from "../../src/chain/local/past.ts";
import { readNodes, readSubmission } from "../../src/chain/local/rows.ts";
import { doSlotWork } from "../../src/chain/local/slot_work.ts";
import { Store } from "../../src/chain/local/store.ts";
import {
  blockRef,
  constantsOf,
  type Reader,
  viewAt,
} from "../../src/chain/local/view.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { type Act, away, type ChainFaults, SimPool } from "./sim_pool.ts";

/** Blocks in an epoch, its slot, and milliseconds between blocks. */
export const LENGTH = 20;
export const SLOT = 3;
export const BLOCK = 6_000;
/** The subnet's id. */
export const SUBNET = 1;

/** Blocks whose own time is remembered. */
const KEPT_BLOCKS = 16 * LENGTH;

/** What a node sees of the chain. */
export interface Port {
  readonly chain: Chain;
  readonly signer: ChainSigner;
  /** Signs for another hotkey, with the same faults. */
  signerOf(hotkey: string): ChainSigner;
  readonly faults: ChainFaults;
  /** Where the chain stood when the node last heard of it. */
  position(): EpochTime | undefined;
  /** It has not heard of the chain yet. */
  forget(): void;
}

/**
 * The local development chain's own rules and tables, in memory, with blocks
 * that come late or not at all, and faults that differ from node to node.
 */
export class SimChain {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #facts: LocalChainFacts;
  readonly #store = Store.open(":memory:", true);
  readonly #pool = new SimPool();
  readonly #times = new Map<number, number>();
  readonly #refs = new Map<number, BlockRef>();
  readonly #listeners = new Set<() => void>();
  /** Answers that stay the same through an epoch, or until the next call. */
  #perEpoch = new Map<string, unknown>();
  #perCall = new Map<string, unknown>();
  readonly #answers = new Map<
    number,
    {
      readonly perEpoch: Map<string, unknown>;
      readonly perCall: Map<string, unknown>;
    }
  >();
  #height = 0;
  #halt = 0;
  /** Is told of a node that sends a proposal although its first one is in. */
  doubled: (hotkey: string) => void = () => {};
  /** Is told of every block. */
  onBlock: (height: number) => void = () => {};
  /** How late a block may come, ms. */
  lateness = 0;

  /** Begins at block 0. */
  constructor(
    clock: VirtualClock,
    random: SeededRandom,
    facts: Partial<LocalChainFacts> = {},
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#facts = {
      genesisTime: clock.now(),
      blockMilliseconds: BLOCK,
      epochLength: LENGTH,
      seed: `simulation ${random.next()}`,
      subnetId: SUBNET,
      subnetName: "simulated",
      slot: SLOT,
      state: "active",
      startEpoch: 0,
      minStake: 1n,
      queueEpochs: 3,
      idleEpochs: 2,
      includedEpochs: 2,
      ...facts,
    };
    writeFacts(this.#store, this.#facts);
    this.#begin();
    this.#plan();
  }

  /** The newest block's number. */
  get height(): number {
    return this.#height;
  }

  /** The nodes. */
  get nodes(): SubnetNodeInfo[] {
    return readNodes(this.#store);
  }

  /** The epoch of a block. */
  epoch(block = this.height): number {
    return epochPosition(block, SLOT, LENGTH).epoch;
  }

  /** Registers a node, a validator by default, and gives its id. */
  register(node: Registration): number {
    const { height } = this;
    const id = this.#store.transaction(() =>
      changeFrom(
        this.#store,
        height,
        () =>
          register(this.#store, this.#facts, height, {
            nodeClass: "validator",
            ...node,
          }),
      )
    );
    this.#renew(true);
    return id;
  }

  /** The node elected for an epoch; nobody before its first block. */
  elected(epoch: number): number | undefined {
    const row = this.#store.get(
      "SELECT node_id FROM elections WHERE epoch = ?",
      epoch,
    );
    return row === undefined ? undefined : Number(row["node_id"]);
  }

  /** Elects a node, as a test wants it. */
  elect(epoch: number, nodeId: number): void {
    this.#store.run(
      "INSERT INTO elections VALUES (?, ?) ON CONFLICT DO UPDATE " +
        "SET node_id = excluded.node_id",
      epoch,
      nodeId,
    );
    this.#renew(true);
  }

  /** An epoch's proposal. */
  submission(epoch: number): ConsensusSubmission | undefined {
    return readSubmission(this.#store, epoch);
  }

  /** The next block comes so much later, ms. */
  halt(milliseconds: number): void {
    this.#halt += milliseconds;
  }

  /** Lets go of the tables. */
  close(): void {
    this.#store.close();
  }

  /** What a node of this hotkey sees of the chain, with faults of its own. */
  port(hotkey: string, delay: () => number): Port {
    const faults: ChainFaults = { away: 0, late: 0, calls: undefined };
    let heard: number | undefined;
    const read = <T>(value: () => T): Promise<T> => {
      if (faults.away > 0) return Promise.reject(away());
      try {
        return Promise.resolve(value());
      } catch (error) {
        return Promise.reject(error);
      }
    };
    const send = (act: Act, options: WriteOptions = {}) =>
      this.#pool.send(act, options, faults, this.height);
    const signerOf = (hotkey: string): ChainSigner => ({
      hotkey,
      propose: (proposal, options) =>
        send((block) => this.#propose(block, hotkey, proposal), options),
      attest: (subnetId, options) =>
        send(
          (block) => attest(this.#store, this.#facts, block, hotkey, subnetId),
          options,
        ),
    });
    return {
      faults,
      chain: {
        constants: () => read(() => constantsOf(this.#facts)),
        head: () => read(() => this.#ref(this.height)),
        heads: (signal) =>
          this.#heads(signal, faults, delay, (height) => heard = height),
        blockAt: (number) =>
          read(() => number <= this.height ? this.#ref(number) : undefined),
        view: (block) => read(() => this.#view(block, read)),
        close: () => Promise.resolve(),
      },
      signer: signerOf(hotkey),
      signerOf,
      position: () => {
        if (heard === undefined) return undefined;
        const { epoch, elapsed } = epochPosition(heard, SLOT, LENGTH);
        const blockSeconds = BLOCK / 1_000;
        return { epoch, elapsed, length: LENGTH, blockSeconds };
      },
      forget: () => heard = undefined,
    };
  }

  #propose(block: number, hotkey: string, proposal: Proposal): void {
    try {
      propose(this.#store, this.#facts, block, hotkey, proposal);
    } catch (error) {
      if (
        error instanceof ChainCallError &&
        error.chainError === "SubnetRewardsAlreadySubmitted"
      ) this.doubled(hotkey);
      throw error;
    }
  }

  #ref(number: number): BlockRef {
    return this.#refs.get(number) ?? blockRef(this.#facts, number);
  }

  #plan(): void {
    const late = this.lateness > 0 && this.#random.happens(0.05)
      ? this.#random.between(0, this.lateness)
      : 0;
    this.#clock.after(BLOCK + late, () => this.#produce());
  }

  #produce(): void {
    if (this.#halt > 0) {
      const wait = this.#halt;
      this.#halt = 0;
      this.#clock.after(wait, () => this.#produce());
      return;
    }
    const height = ++this.#height;
    this.#begin(this.#pool.isDue(height));
    this.#pool.include(
      this.#ref(height),
      (act) => this.#store.transaction(act),
    );
    this.onBlock(height);
    for (const listener of [...this.#listeners]) listener();
    this.#plan();
  }

  /** A block begins, with the slot's work if it is a slot's. */
  #begin(hasCalls = false): void {
    const { height } = this;
    const { elapsed, beforeSlot } = epochPosition(height, SLOT, LENGTH);
    const isSlot = !beforeSlot && elapsed === 0;
    if (isSlot) {
      this.#store.transaction(() =>
        doSlotWork(this.#store, this.#facts, height)
      );
    }
    this.#times.set(height, this.#clock.now());
    this.#refs.set(height, blockRef(this.#facts, height));
    this.#renew(isSlot, hasCalls);
    for (const map of [this.#times, this.#refs, this.#answers]) {
      map.delete(height - KEPT_BLOCKS);
    }
  }

  /** What may have changed with this block is asked for again. */
  #renew(all: boolean, calls = all): void {
    if (all) this.#perEpoch = new Map();
    if (calls) this.#perCall = new Map();
    this.#answers.set(this.height, {
      perEpoch: this.#perEpoch,
      perCall: this.#perCall,
    });
  }

  /** The local chain's view; what cannot have changed is not asked for again. */
  #view(
    block: BlockRef | undefined,
    read: <T>(value: () => T) => Promise<T>,
  ): ChainView {
    const at = block ?? this.#ref(this.height);
    const known = this.#answers.get(at.number);
    const hash = this.#ref(at.number).hash;
    if (known === undefined || at.hash !== hash) {
      throw new ChainUnreadableError(`There is no block ${at.number} here.`);
    }
    const { perEpoch, perCall } = known;
    const reader: Reader = (_, act) => read(() => act(this.#store));
    const view = viewAt(this.#facts, at, reader);
    const once = <T>(
      answers: Map<string, unknown>,
      name: string,
      ask: () => Promise<T>,
    ): Promise<T> =>
      read(() => {
        if (!answers.has(name)) answers.set(name, ask());
        return answers.get(name) as T;
      });
    const nodes = (subnetId: number) =>
      once(perEpoch, `nodes ${subnetId}`, () => view.nodes(subnetId));
    return {
      ...view,
      time: () => read(() => this.#times.get(at.number) as number),
      subnet: (id) => once(perEpoch, `subnet ${id}`, () => view.subnet(id)),
      nodes,
      nodeOfHotkey: async (subnetId, hotkey) =>
        (await nodes(subnetId)).find((node) => node.hotkey === hotkey),
      electedValidator: (id, epoch) =>
        once(
          perEpoch,
          `elected ${id} ${epoch}`,
          () => view.electedValidator(id, epoch),
        ),
      submission: (id, epoch) =>
        once(
          perCall,
          `submission ${id} ${epoch}`,
          () => view.submission(id, epoch),
        ),
      attestors: (id) =>
        once(perEpoch, `attestors ${id}`, () => view.attestors(id)),
    };
  }

  async *#heads(
    signal: AbortSignal,
    faults: ChainFaults,
    delay: () => number,
    hear: (height: number) => void,
  ): AsyncGenerator<BlockRef> {
    for (let last = -1; !signal.aborted;) {
      if (this.height > last && faults.away === 0) {
        last = this.height;
        hear(last);
        yield this.#ref(last);
        continue;
      }
      // Who was away hears of the newest block as soon as it is back.
      if (faults.away > 0) {
        await this.#clock.sleep(500 + delay(), signal).catch(() => {});
        continue;
      }
      await this.#nextBlock(signal, delay);
    }
  }

  #nextBlock(signal: AbortSignal, delay: () => number): Promise<void> {
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
    return promise.finally(() => signal.removeEventListener("abort", end));
  }
}
