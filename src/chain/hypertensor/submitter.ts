import type { KeyringPair } from "@polkadot/keyring/types";
import { compactFromU8aLim, hexToU8a } from "@polkadot/util";
import { loggerOf } from "../../core/log.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Receipt, WriteOptions } from "../chain.ts";
import {
  ChainCallError,
  ChainSubmitError,
  ChainUnreadableError,
} from "../errors.ts";
import type { AskOptions, HypertensorClient } from "./client.ts";
import type { BlockHeader } from "./header.ts";
import type { Order } from "./order.ts";
import {
  type ChainEvent,
  findIn,
  type Inclusion,
  outcomeOf,
} from "./outcome.ts";
import { judge } from "./pool_errors.ts";
import { signCall, type SignedCall } from "./signed_call.ts";
import { HypertensorView } from "./view.ts";

/** A receipt with what the chain said. */
export interface FullReceipt extends Receipt {
  /** The call's hash. */
  readonly hash: string;
  /** The events of the call. */
  readonly events: readonly ChainEvent[];
}

/** What a call would cost. */
export interface Estimate {
  /** Base units; a successful proposal or attestation gets it back. */
  readonly fee: bigint;
  /** The call's bytes as they would be sent. */
  readonly signed: SignedCall;
}

/** A call that was sent, or may have been. */
interface Sent {
  readonly call: SignedCall;
  readonly nonce: number;
  /** The last block that can include it. */
  readonly until: number;
  /** Blocks up to here were looked through. */
  scanned: number;
}

/** Eras that are tried, longest first, in blocks; the chain takes powers of two. */
const PERIODS = [32, 16, 8, 4] as const;
/** Calls that are made for one order. */
const MOST_SENT = 4;
/** Blocks at the tip that another branch may replace. */
const MAY_CHANGE = 3;
/** Block times without any news after which a call is given up. */
const LOST_AFTER = 16;

/**
 * Sends the calls of one account, one after the other.
 *
 * A call is looked for in the blocks, so that a lost answer changes nothing. It
 * is made anew only when the account's next number says that the earlier one is
 * neither in a block nor in the pool; then both bear the same number, and the
 * chain takes only one of them.
 */
export class Submitter {
  readonly #client: HypertensorClient;
  readonly #account: KeyringPair;
  readonly #metrics: Metrics;
  readonly #log = loggerOf("chain");
  #last: Promise<unknown> = Promise.resolve();

  /** Signs with the account's key. */
  constructor(
    client: HypertensorClient,
    account: KeyringPair,
    metrics: Metrics,
  ) {
    this.#client = client;
    this.#account = account;
    this.#metrics = metrics;
  }

  /** The account, lower-case hex with `0x`. */
  get account(): string {
    return this.#account.address.toLowerCase();
  }

  /**
   * Makes a call and waits until it is in a block and has succeeded.
   *
   * @throws {ChainCallError} when the chain refuses, or would.
   * @throws {ChainSubmitError} when it was not seen to be included.
   */
  submit(order: Order, options: WriteOptions = {}): Promise<FullReceipt> {
    const turn = this.#last.then(() => this.#submit(order, options));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** What the call would cost now, without sending it. @throws {ChainUnreadableError} */
  async estimate(order: Order, options: AskOptions = {}): Promise<Estimate> {
    const header = await this.#client.header(options);
    const { call } = await this.#sign(order, header, Infinity, options);
    const bytes = hexToU8a(call.bytes);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length, true);
    const answer = await this.#client.ask("state_call", [
      "TransactionPaymentApi_query_info",
      `${call.bytes}${length.toHex()}`,
      header.hash,
    ], options);
    return { fee: feeOf(answer), signed: call };
  }

  async #submit(
    order: Order,
    { signal, notAfter = Infinity }: WriteOptions,
  ): Promise<FullReceipt> {
    let sent: Sent | undefined;
    let made = 0;
    let reason: unknown;
    let header = await this.#client.header({ signal });
    for (;;) {
      const found = sent && await this.#find(sent, header, signal);
      if (sent !== undefined && found !== undefined) {
        return await this.#receipt(order, sent, found, signal);
      }
      if (sent === undefined || await this.#isGone(sent, header, signal)) {
        if (made >= MOST_SENT) throw givenUp(order, reason);
        await this.#check(order, sent, signal);
        made++;
        [sent, reason] = await this.#send(order, header, notAfter, signal);
      }
      header = await this.#next(order, header, sent, signal);
    }
  }

  /** Sends once; what may have arrived is `Sent`, with or without an error. */
  async #send(
    order: Order,
    header: BlockHeader,
    notAfter: number,
    signal: AbortSignal | undefined,
  ): Promise<[Sent | undefined, unknown]> {
    const sent = await this.#sign(order, header, notAfter, { signal });
    try {
      await this.#client.once("author_submitExtrinsic", [sent.call.bytes], {
        signal,
      });
      this.#count(order, "sent");
      return [sent, undefined];
    } catch (error) {
      signal?.throwIfAborted();
      const verdict = judge(error);
      this.#count(order, verdict);
      this.#log.warn("{call} was not taken ({verdict}): {error}", {
        call: order.name,
        verdict,
        error,
      });
      if (verdict === "stop") {
        throw new ChainSubmitError(
          "stop",
          `The chain's pool does not take the call ${order.name}: ${
            error instanceof Error ? error.message : error
          }`,
          { cause: error, hint: hintFor(error, this.account) },
        );
      }
      if (verdict === "runtime") {
        this.#client.reconnect("A call was signed for another runtime.");
      }
      return [verdict === "pending" ? sent : undefined, error];
    }
  }

  /** Signs with the account's next number, for an era that ends in time. */
  async #sign(
    order: Order,
    header: BlockHeader,
    notAfter: number,
    options: AskOptions,
  ): Promise<Sent> {
    const runtime = await this.#client.runtime(options);
    // The block before the newest one, which another one may still replace.
    const [birth, blockHash] = header.number === 0
      ? [0, header.hash]
      : [header.number - 1, header.parentHash];
    const period = PERIODS.find((each) => birth + each - 1 <= notAfter);
    if (period === undefined) {
      throw new ChainSubmitError(
        "stop",
        `It is too late for the call ${order.name}: in block ${header.number} ` +
          `none can be made that is void after block ${notAfter}.`,
      );
    }
    const { id } = runtime;
    const nonce = await this.#nextNumber(options);
    const call = signCall(runtime.types, this.#account, order.encode(runtime), {
      genesisHash: id.genesis,
      specVersion: id.specVersion,
      transactionVersion: id.transactionVersion,
      nonce,
      era: { block: birth, blockHash, period },
    });
    return {
      call,
      nonce,
      until: birth + period - 1,
      scanned: header.number,
    };
  }

  /** Looks whether the chain would take the call. */
  async #check(
    order: Order,
    sent: Sent | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      const view = HypertensorView.of(
        await this.#client.at(undefined, { signal }),
      );
      await order.check(view, { signal });
    } catch (error) {
      if (sent === undefined || !(error instanceof ChainCallError)) throw error;
      // Our earlier call may be why: it is not ours to say that it failed.
      throw new ChainSubmitError(
        "look",
        `The chain would refuse the call ${order.name} by now, after an ` +
          `earlier one was sent: ${error.message}`,
        { cause: error },
      );
    }
  }

  /** Looks through the blocks since the call was sent. */
  async #find(
    sent: Sent,
    header: BlockHeader,
    signal: AbortSignal | undefined,
  ): Promise<Inclusion | undefined> {
    const to = Math.min(header.number, sent.until);
    for (let number = sent.scanned + 1; number <= to; number++) {
      const hash = number === header.number
        ? header.hash
        : await this.#client.ask("chain_getBlockHash", [number], { signal });
      if (typeof hash !== "string") continue;
      const block = { number, hash };
      const found = await findIn(
        this.#client,
        block,
        sent.call.bytes,
        signal,
      );
      if (found !== undefined) return found;
      sent.scanned = Math.max(
        sent.scanned,
        Math.min(number, header.number - MAY_CHANGE),
      );
    }
    return undefined;
  }

  /** Whether the call is certainly neither in a block nor in the pool. */
  async #isGone(
    sent: Sent,
    header: BlockHeader,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (await this.#nextNumber({ signal }) <= sent.nonce) return true;
    return header.number >= sent.until + MAY_CHANGE;
  }

  async #receipt(
    order: Order,
    sent: Sent,
    found: Inclusion,
    signal: AbortSignal | undefined,
  ): Promise<FullReceipt> {
    try {
      const events = await outcomeOf(this.#client, found, signal);
      this.#count(order, "succeeded");
      return { block: found.block, hash: sent.call.hash, events };
    } catch (error) {
      if (error instanceof ChainCallError) this.#count(order, "refused");
      throw error;
    }
  }

  /** The next head; an end when the chain stays away for too long. */
  async #next(
    order: Order,
    header: BlockHeader,
    sent: Sent | undefined,
    signal: AbortSignal | undefined,
  ): Promise<BlockHeader> {
    const { constants } = await this.#client.runtime({ signal });
    const limit = LOST_AFTER * constants.blockMilliseconds;
    try {
      return await this.#client.nextHeader(header.hash, limit, signal);
    } catch (error) {
      if (!(error instanceof ChainUnreadableError)) throw error;
      throw new ChainSubmitError(
        sent === undefined ? "retry" : "look",
        `The chain is away since the call ${order.name} was ` +
          `${sent === undefined ? "to be sent" : "sent"}.`,
        { cause: error },
      );
    }
  }

  async #nextNumber(options: AskOptions): Promise<number> {
    const answer = await this.#client.ask(
      "system_accountNextIndex",
      [this.#account.address],
      options,
    );
    if (typeof answer === "number" && Number.isSafeInteger(answer)) {
      return answer;
    }
    throw new ChainUnreadableError("The account's next number is none.");
  }

  #count({ name }: Order, outcome: string): void {
    this.#metrics.count("meshnode_chain_calls_total", { call: name, outcome });
  }
}

function givenUp(order: Order, reason: unknown): ChainSubmitError {
  return new ChainSubmitError(
    "retry",
    `The call ${order.name} was not taken in ${MOST_SENT} attempts.`,
    { cause: reason },
  );
}

function hintFor(error: unknown, account: string): string {
  return /payment|fees|balance/i.test(String(error))
    ? `Send some TENSOR to ${account}: a call needs its fee to be there.`
    : "Look at the error, and at the account on the chain.";
}

/** The fee in the runtime's answer: weight, class, then a u128. */
function feeOf(answer: unknown): bigint {
  const bytes = typeof answer === "string"
    ? hexToU8a(answer)
    : new Uint8Array();
  const [first] = compactFromU8aLim(bytes);
  const [second] = compactFromU8aLim(bytes.subarray(first));
  const fee = bytes.subarray(first + second + 1);
  if (fee.length !== 16) {
    throw new ChainUnreadableError("The chain does not tell the fee.");
  }
  return fee.reduceRight((sum, byte) => 256n * sum + BigInt(byte), 0n);
}
