import type { KeyringPair } from "@polkadot/keyring/types";
import { type Metrics, MetricsRegistry } from "../../core/metrics.ts";
import type { Chain, ChainSigner, ReadOptions } from "../chain.ts";
import { ChainUnreadableError } from "../errors.ts";
import type { BlockRef, ChainConstants } from "../types.ts";
import {
  type ClientOptions,
  type ClientStatus,
  HypertensorClient,
} from "./client.ts";
import { attestOrder, proposeOrder } from "./orders.ts";
import { Submitter } from "./submitter.ts";
import { HypertensorView } from "./view.ts";

/** A Hypertensor chain, over one connection per process. */
export class HypertensorChain implements Chain {
  readonly #metrics: Metrics;
  readonly #submitters = new Map<string, Submitter>();
  /** The connection. */
  readonly client: HypertensorClient;

  private constructor(options: ClientOptions) {
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.client = HypertensorClient.open(options);
  }

  /**
   * Starts to connect; reads wait for the connection.
   *
   * @throws {ConnectionError} for an address that is none.
   */
  static open(options: ClientOptions): HypertensorChain {
    return new HypertensorChain(options);
  }

  /** How the connection is. */
  get status(): ClientStatus {
    return this.client.status;
  }

  /** Length of blocks and epochs, and the chain's identity. */
  async constants(options: ReadOptions = {}): Promise<ChainConstants> {
    return (await this.client.runtime(options)).constants;
  }

  /** The newest block. */
  head(options: ReadOptions = {}): Promise<BlockRef> {
    return this.client.head(options);
  }

  /** The newest blocks as they come. */
  heads(signal: AbortSignal): AsyncGenerator<BlockRef> {
    return this.client.heads(signal);
  }

  /** The block of a height; absent while it is not there yet. */
  async blockAt(
    number: number,
    options: ReadOptions = {},
  ): Promise<BlockRef | undefined> {
    const hash = await this.client.ask("chain_getBlockHash", [number], options);
    if (hash === null) return undefined;
    if (typeof hash === "string" && /^0x[0-9a-f]{64}$/.test(hash)) {
      return { number, hash };
    }
    throw new ChainUnreadableError(`The hash of block ${number} is none.`);
  }

  /** Reads at a block, the newest by default. */
  async view(
    block?: BlockRef,
    options: ReadOptions = {},
  ): Promise<HypertensorView> {
    return HypertensorView.of(await this.client.at(block, options));
  }

  /** What sends the calls of an account: the same for the same account, so that they never cross. */
  submitter(account: KeyringPair): Submitter {
    const known = this.#submitters.get(account.address);
    if (known !== undefined) return known;
    const submitter = new Submitter(this.client, account, this.#metrics);
    this.#submitters.set(account.address, submitter);
    return submitter;
  }

  /** Calls signed by a hotkey. */
  signer(account: KeyringPair): ChainSigner {
    const submitter = this.submitter(account);
    const hotkey = submitter.account;
    return {
      hotkey,
      propose: (proposal, options) =>
        submitter.submit(proposeOrder(proposal, hotkey), options),
      attest: (subnetId, options) =>
        submitter.submit(attestOrder(subnetId, hotkey), options),
    };
  }

  /** Ends the connection and waits for it. */
  async close(): Promise<void> {
    await this.client.close();
  }
}
