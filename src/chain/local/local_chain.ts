import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../../core/clock.ts";
import { toHex } from "../../core/bytes.ts";
import { MeshError } from "../../core/errors.ts";
import type {
  Chain,
  ChainSigner,
  ChainView,
  ReadOptions,
  Receipt,
  WriteOptions,
} from "../chain.ts";
import { ChainSubmitError, ChainUnreadableError } from "../errors.ts";
import { type BlockRef, type ChainConstants, ONE } from "../types.ts";
import {
  account,
  attest,
  propose,
  register,
  type Registration,
} from "./calls.ts";
import { LocalChainError } from "./errors.ts";
import {
  type LocalChainFacts,
  readFacts,
  writeFact,
  writeFacts,
} from "./facts.ts";
import type { LocalChainFaults } from "./faults.ts";
import { doSlotWork, isSlotWorkDue } from "./slot_work.ts";
import { changeFrom } from "./past.ts";
import { Store } from "./store.ts";
import { balanceOf, blockRef, constantsOf, viewAt } from "./view.ts";

/** Options of {@linkcode LocalChain.create}; the defaults are those of the reference's mock. */
export type LocalChainOptions = Partial<
  Omit<LocalChainFacts, "seed" | "genesisTime">
>;

const DEFAULTS: Omit<LocalChainFacts, "seed" | "genesisTime"> = {
  blockMilliseconds: 6_000,
  epochLength: 20,
  subnetId: 1,
  subnetName: "local",
  slot: 3,
  state: "active",
  startEpoch: 0,
  minStake: 100n * ONE,
  queueEpochs: 3,
  idleEpochs: 2,
  includedEpochs: 2,
};

/** Base units; what a call of the real chain costs. */
const FEE = 108_157_099n;

/**
 * A chain in one SQLite file, for development and tests: blocks come from the
 * clock, and all processes of a machine that open the file share it.
 */
export class LocalChain implements Chain {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  readonly #busy = new Set<Promise<unknown>>();
  /** What goes wrong with this process's reads and calls. */
  readonly faults: LocalChainFaults = {};

  private constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Opens a chain that was created.
   *
   * @throws {LocalChainError} `LOCAL_CHAIN_MISSING`, `LOCAL_CHAIN_VERSION`,
   * `LOCAL_CHAIN_DAMAGED`.
   */
  static open(path: string, clock: Clock = systemClock): LocalChain {
    return LocalChain.#open(path, clock, false);
  }

  /**
   * Opens a chain, creating it at block 0 when there is none.
   *
   * @throws {LocalChainError} `LOCAL_CHAIN_DIFFERS` when it was created with
   * other options.
   */
  static create(
    path: string,
    options: LocalChainOptions = {},
    clock: Clock = systemClock,
  ): LocalChain {
    return LocalChain.#open(path, clock, true, options);
  }

  static #open(
    path: string,
    clock: Clock,
    create: boolean,
    options: LocalChainOptions = {},
  ): LocalChain {
    const store = Store.open(path, create);
    const chain = new LocalChain(store, clock);
    try {
      store.transaction(() => {
        if (create && readFacts(store) === undefined) {
          const seed = toHex(randomBytes(16));
          const genesisTime = Math.floor(clock.now());
          writeFacts(store, { ...DEFAULTS, ...options, seed, genesisTime });
        }
      });
      const facts = chain.#facts();
      for (const [name, wanted] of Object.entries(options)) {
        const is = facts[name as keyof LocalChainFacts];
        if (name === "state" || is === wanted) continue;
        throw new LocalChainError(
          "LOCAL_CHAIN_DIFFERS",
          `The chain in ${path} was made with ${name} ${is}, not ${wanted}.`,
          { hint: "Use the same options, or start a new chain." },
        );
      }
    } catch (error) {
      store.close();
      throw error;
    }
    return chain;
  }

  /** Length of blocks and epochs, and the chain's identity. */
  constants(options: ReadOptions = {}): Promise<ChainConstants> {
    return this.#read(options.signal, () => constantsOf(this.#facts()));
  }

  /** The newest block. */
  head(options: ReadOptions = {}): Promise<BlockRef> {
    return this.#read(options.signal, () => {
      const facts = this.#facts();
      return blockRef(facts, this.#block(facts));
    });
  }

  /** Blocks as the clock brings them. */
  async *heads(signal: AbortSignal): AsyncGenerator<BlockRef> {
    const ends = AbortSignal.any([signal, this.#closed.signal]);
    let last = -1;
    while (!ends.aborted) {
      const facts = this.#facts();
      const number = this.#block(facts);
      if (number > last) {
        last = number;
        yield blockRef(facts, number);
        continue;
      }
      await this.#clock.sleep(this.#untilBlock(facts, last + 1), ends)
        .catch(() => {});
    }
  }

  /** The block of a height; absent while it is not there yet. */
  blockAt(
    number: number,
    options: ReadOptions = {},
  ): Promise<BlockRef | undefined> {
    return this.#read(options.signal, () => {
      const facts = this.#facts();
      return number <= this.#block(facts) ? blockRef(facts, number) : undefined;
    });
  }

  /** Reads at a block, the newest by default. @throws {ChainUnreadableError} */
  async view(
    block?: BlockRef,
    options: ReadOptions = {},
  ): Promise<ChainView> {
    const at = block ?? await this.head(options);
    const facts = await this.#read(options.signal, () => {
      const facts = this.#facts();
      const known = at.hash === blockRef(facts, at.number).hash &&
        at.number <= this.#block(facts);
      if (known) return facts;
      throw new Error(`there is no block ${at.number} with hash ${at.hash}.`);
    });
    return viewAt(facts, at, (signal, read) => this.#read(signal, read));
  }

  /** Calls signed by a hotkey; the development chain asks for no key. */
  signer(hotkey: string): ChainSigner {
    const from = account(hotkey);
    return {
      hotkey: from,
      propose: (proposal, options) =>
        this.#call(
          from,
          options,
          (facts, block) => propose(this.#store, facts, block, from, proposal),
        ),
      attest: (subnetId, options) =>
        this.#call(
          from,
          options,
          (facts, block) => attest(this.#store, facts, block, from, subnetId),
        ),
    };
  }

  /** Registers a node and gives its id. @throws {ChainCallError} */
  register(node: Registration): number {
    return this.#change((facts, block) => {
      const id = register(this.#store, facts, block, node);
      if (balanceOf(this.#store, node.hotkey) === 0n) {
        this.#setBalance(node.hotkey, ONE);
      }
      return id;
    });
  }

  /** Removes a node. */
  remove(nodeId: number): void {
    this.#change(() =>
      this.#store.run("DELETE FROM nodes WHERE id = ?", nodeId)
    );
  }

  /** Changes the subnet's state. */
  setState(state: LocalChainFacts["state"]): void {
    this.#change(() => writeFact(this.#store, "state", state));
  }

  /** Names a bootnode of the subnet, or its new address. */
  addBootnode(peerId: string, multiaddr: string): void {
    this.#change(() =>
      this.#store.run(
        "INSERT INTO bootnodes VALUES (?, ?) ON CONFLICT DO UPDATE " +
          "SET multiaddr = excluded.multiaddr",
        peerId,
        multiaddr,
      )
    );
  }

  /** Names the peer of an overwatch node. */
  addOverwatchPeer(peerId: string): void {
    this.#change(() =>
      this.#store.run(
        "INSERT INTO overwatch VALUES (?) ON CONFLICT DO NOTHING",
        peerId,
      )
    );
  }

  /** Takes an overwatch node's peer back. */
  removeOverwatchPeer(peerId: string): void {
    this.#change(() =>
      this.#store.run("DELETE FROM overwatch WHERE peer_id = ?", peerId)
    );
  }

  /** Sets a node's stake, base units, as a slash does. */
  setStake(nodeId: number, amount: bigint): void {
    this.#change(() =>
      this.#store.run(
        "UPDATE nodes SET stake = ? WHERE id = ?",
        String(amount),
        nodeId,
      )
    );
  }

  /** Sets an account's free balance, base units. */
  setBalance(of: string, amount: bigint): void {
    this.#change(() => this.#setBalance(of, amount));
  }

  /** Waits for what is under way and lets go of the file. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error("The chain is closed."));
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
    this.#store.close();
  }

  #facts(): LocalChainFacts {
    const facts = readFacts(this.#store);
    if (facts !== undefined) return facts;
    throw new LocalChainError(
      "LOCAL_CHAIN_MISSING",
      "The local chain was never founded.",
    );
  }

  #block(facts: LocalChainFacts): number {
    const elapsed = this.#clock.now() - facts.genesisTime;
    return Math.max(0, Math.floor(elapsed / facts.blockMilliseconds));
  }

  #untilBlock(facts: LocalChainFacts, block: number): number {
    const start = facts.genesisTime + block * facts.blockMilliseconds;
    return Math.max(1, start - this.#clock.now());
  }

  #setBalance(of: string, amount: bigint): void {
    this.#store.run(
      "INSERT INTO balances VALUES (?, ?) ON CONFLICT DO UPDATE " +
        "SET amount = excluded.amount",
      account(of),
      String(amount),
    );
  }

  /** One change in the present block, after the slot work that is due. */
  #change<T>(change: (facts: LocalChainFacts, block: number) => T): T {
    return this.#store.transaction(() => {
      const facts = this.#facts();
      const block = this.#block(facts);
      doSlotWork(this.#store, facts, block);
      return changeFrom(this.#store, block, () => change(facts, block));
    });
  }

  async #read<T>(
    signal: AbortSignal | undefined,
    read: (store: Store) => T,
  ): Promise<T> {
    if (this.faults.slowness) {
      await this.#clock.sleep(this.faults.slowness, signal);
    }
    signal?.throwIfAborted();
    if (this.faults.unreadable || this.#closed.signal.aborted) {
      throw new ChainUnreadableError("The local chain cannot be read.");
    }
    try {
      const facts = this.#facts();
      if (isSlotWorkDue(this.#store, facts, this.#block(facts))) {
        this.#change(() => {});
      }
      return this.#store.transaction(() => read(this.#store), "DEFERRED");
    } catch (cause) {
      throw new ChainUnreadableError(
        `The local chain cannot be read: ${
          cause instanceof Error ? cause.message : cause
        }`,
        { cause },
      );
    }
  }

  #call(
    from: string,
    options: WriteOptions | undefined,
    act: (facts: LocalChainFacts, block: number) => void,
  ): Promise<Receipt> {
    const call = this.#include(from, options, act);
    const busy = call.catch(() => {}).finally(() => this.#busy.delete(busy));
    this.#busy.add(busy);
    return call;
  }

  /** A call is included in the next block, or in a later one. */
  async #include(
    from: string,
    { signal, notAfter = Infinity }: WriteOptions = {},
    act: (facts: LocalChainFacts, block: number) => void,
  ): Promise<Receipt> {
    const { calls, lateBlocks = 0 } = this.faults;
    const ends = AbortSignal.any([
      this.#closed.signal,
      ...signal ? [signal] : [],
    ]);
    ends.throwIfAborted();
    if (calls === "stale") {
      throw new ChainSubmitError("look", "The pool says: 1010 stale.");
    }
    if (await this.#read(ends, (store) => balanceOf(store, from)) < FEE) {
      throw new ChainSubmitError("stop", `The pool says: 1010 payment.`, {
        hint: `Send some TENSOR to ${from}.`,
      });
    }
    const facts = this.#facts();
    const next = this.#block(facts) + 1;
    if (next > notAfter) {
      throw new ChainSubmitError(
        "stop",
        `The call could not be included before block ${next}, which is too late.`,
      );
    }
    const block = next + lateBlocks;
    await this.#clock.sleep(this.#untilBlock(facts, block), ends);
    if (calls === "dropped" || this.#block(facts) > notAfter) {
      throw new ChainSubmitError("look", "The call was not included in time.");
    }
    const included = this.#submit((now, at) => {
      act(now, at);
      return blockRef(now, at);
    });
    if (calls === "lost-receipt") {
      throw new ChainSubmitError("look", "The connection was lost meanwhile.");
    }
    return { block: included };
  }

  #submit<T>(act: (facts: LocalChainFacts, block: number) => T): T {
    try {
      return this.#change(act);
    } catch (cause) {
      if (cause instanceof MeshError) throw cause;
      throw new ChainSubmitError(
        "retry",
        `The local chain's file cannot be written: ${
          cause instanceof Error ? cause.message : cause
        }`,
        { cause },
      );
    }
  }
}
