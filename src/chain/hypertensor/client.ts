import { type Clock, systemClock } from "../../core/clock.ts";
import { deadline, raceSignal } from "../../core/deadline.ts";
import { loggerOf } from "../../core/log.ts";
import { type Metrics, MetricsRegistry } from "../../core/metrics.ts";
import { ChainUnreadableError } from "../errors.ts";
import type { BlockRef } from "../types.ts";
import { Connection, ConnectionError, JsonRpcError } from "./connection.ts";
import type { BlockHeader } from "./header.ts";
import { Link } from "./link.ts";
import { UnknownLayoutError } from "./metadata.ts";
import { MetadataCache } from "./metadata_cache.ts";
import type { Runtime } from "./runtime.ts";
import { SavedStateFile } from "./saved_state.ts";
import { isPassing, Patience } from "./patience.ts";
import { StateReader } from "./state_reader.ts";

/** Options of {@linkcode HypertensorClient}. */
export interface ClientOptions {
  /** Addresses of one chain's endpoints, `ws:` or `wss:`, the preferred one first. */
  readonly endpoints: readonly string[];
  /** Where metadata and the last good state are kept; nowhere by default. */
  readonly cacheFolder?: string;
  /** Block times without a new head after which the endpoint is left; 5 by default. */
  readonly silence?: number;
  /** How long an answer may take, ms; 10 000 by default. */
  readonly timeout?: number;
  /** How long a start waits for the chain before it goes by the last good state, ms; 3 000 by default. */
  readonly patience?: number;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
  /** In [0, 1); `Math.random` by default. */
  readonly random?: () => number;
}

/** Options of a question. */
export interface AskOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** How the connection to the chain is. */
export interface ClientStatus {
  /** Whether an endpoint answers. */
  readonly connected: boolean;
  /** The endpoint in use, or the last one tried. */
  readonly endpoint: string | undefined;
  /** The newest block known. */
  readonly head: BlockRef | undefined;
  /** Whether answers come from an earlier run, since the chain was not reached yet. */
  readonly stale: boolean;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Why there is no connection. */
  readonly failure: string | undefined;
}

const SILENCE = 5;
const PATIENCE = 3_000;
const TIMEOUT = 10_000;
/** Blocks whose answers are remembered. */
const READERS = 4;
/** How often the state is saved, in ticks of a block. */
const SAVE_EVERY = 10;
const ATTEMPTS = 4;

/**
 * One connection to a chain, kept for as long as the client is open: another
 * endpoint takes over when one fails or falls silent, and a new runtime is
 * noticed in the block that brings it.
 */
export class HypertensorClient {
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #cache: MetadataCache;
  readonly #saved: SavedStateFile;
  readonly #log = loggerOf("chain");
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #readers = new Map<string, StateReader>();
  readonly #pause: Patience;
  #link: Link | undefined;
  #failure: unknown;
  #endpoint: string | undefined;
  #genesis: string | undefined;
  #connections = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#cache = new MetadataCache(options.cacheFolder);
    this.#saved = new SavedStateFile(
      options.cacheFolder,
      options.endpoints,
      this.#cache,
    );
    this.#pause = new Patience(options.random ?? Math.random);
    this.#running = this.#run(this.#closing.signal);
  }

  /**
   * Starts to connect, and goes on for ever.
   *
   * @throws {ConnectionError} for an address that is none.
   */
  static open(options: ClientOptions): HypertensorClient {
    const { endpoints } = options;
    for (const url of endpoints) {
      if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
        throw new ConnectionError(`"${url}" is no address of a chain.`, {
          hint: "Give an address such as ws://127.0.0.1:9944 or wss://host.",
        });
      }
    }
    if (endpoints.length === 0) {
      throw new ConnectionError("No address of a chain is given.");
    }
    return new HypertensorClient(options);
  }

  /** How the connection is. */
  get status(): ClientStatus {
    return {
      connected: this.#link !== undefined,
      endpoint: this.#endpoint,
      head: this.#link?.head ?? this.#saved.state?.block,
      stale: this.#connections === 0 && this.#saved.state !== undefined,
      connections: this.#connections,
      failure: this.#link === undefined && this.#failure !== undefined
        ? text(this.#failure)
        : undefined,
    };
  }

  /**
   * The runtime in force; while the chain was not reached yet, that of the last
   * good state.
   *
   * @throws {ChainUnreadableError}, {UnknownLayoutError}
   */
  async runtime(options: AskOptions = {}): Promise<Runtime> {
    const link = await this.#linkOrSaved(options.signal);
    return link.runtime;
  }

  /** The newest block. @throws {ChainUnreadableError} */
  async head(options: AskOptions = {}): Promise<BlockRef> {
    const { head } = await this.#linkOrSaved(options.signal);
    return { number: head.number, hash: head.hash };
  }

  /** The newest block with its parent; never of an earlier run. @throws {ChainUnreadableError} */
  async header(options: AskOptions = {}): Promise<BlockHeader> {
    return (await this.#connected(options.signal)).head;
  }

  /** The newest blocks as they come. Ends with the signal, or when the client is closed. */
  async *heads(signal: AbortSignal): AsyncGenerator<BlockRef> {
    let last: string | undefined;
    while (!signal.aborted && !this.#closing.signal.aborted) {
      try {
        const head = await this.nextHeader(last, Infinity, signal);
        last = head.hash;
        yield { number: head.number, hash: head.hash };
      } catch (error) {
        if (!(error instanceof ChainUnreadableError) && !signal.aborted) {
          throw error;
        }
      }
    }
  }

  /**
   * The newest block, once it is another one than that of a hash.
   *
   * @throws {ChainUnreadableError} when there is none for so many milliseconds.
   */
  async nextHeader(
    after: string | undefined,
    limit: number,
    signal?: AbortSignal,
  ): Promise<BlockHeader> {
    using ends = deadline(limit, signal, this.#closing.signal);
    for (;;) {
      const changed = this.#changed.promise;
      const head = this.#link?.head;
      if (head !== undefined && head.hash !== after) return head;
      await raceSignal(changed, ends.signal).catch((cause) => {
        signal?.throwIfAborted();
        throw new ChainUnreadableError("There is no new block.", { cause });
      });
    }
  }

  /** Reads at a block, the newest by default. @throws {ChainUnreadableError} */
  async at(block?: BlockRef, options: AskOptions = {}): Promise<StateReader> {
    const link = await this.#linkOrSaved(options.signal);
    if (!("connection" in link)) {
      const { head } = link;
      if (block === undefined || block.hash === head.hash) return link.reader;
      throw new ChainUnreadableError(
        `Block ${block.number} cannot be read while the chain is away.`,
      );
    }
    const { number, hash } = block ?? link.head;
    const known = this.#readers.get(hash);
    if (known !== undefined && known.runtime === link.runtime) return known;
    const reader = new StateReader({ number, hash }, link.runtime, this);
    this.#readers.set(hash, reader);
    for (const old of this.#readers.keys()) {
      if (this.#readers.size <= READERS) break;
      this.#readers.delete(old);
    }
    return reader;
  }

  /**
   * Asks the endpoint, and once more when the connection is lost meanwhile or
   * the endpoint is busy. Only for questions: a call is never sent twice here.
   *
   * @throws {JsonRpcError}, {ChainUnreadableError}
   */
  async ask(
    method: string,
    params: readonly unknown[],
    options: AskOptions = {},
  ): Promise<unknown> {
    for (let attempt = 1;; attempt++) {
      const { connection } = await this.#connected(options.signal);
      try {
        return await connection.request(method, params, options.signal);
      } catch (error) {
        options.signal?.throwIfAborted();
        this.#metrics.count("meshnode_chain_failed_requests_total", {
          kind: error instanceof JsonRpcError ? "refused" : "lost",
        });
        if (error instanceof ConnectionError && attempt < ATTEMPTS) continue;
        if (!isPassing(error) || attempt >= ATTEMPTS) throw readable(error);
        await this.#clock.sleep(this.#pause.busy(attempt), options.signal);
      }
    }
  }

  /** Asks once, over the connection that there is. @throws {JsonRpcError}, {ConnectionError} */
  async once(
    method: string,
    params: readonly unknown[],
    options: AskOptions = {},
  ): Promise<unknown> {
    const { connection } = await this.#connected(options.signal);
    return await connection.request(method, params, options.signal);
  }

  /** Leaves the connection and learns everything anew, as when another runtime may be in force. */
  reconnect(reason: string): void {
    this.#link?.connection.end(reason);
  }

  /** Ends the connection and waits for everything. */
  async close(): Promise<void> {
    this.#closing.abort(new ChainUnreadableError("The chain is closed."));
    this.#tell();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#saved.load();
    const { endpoints } = this.#options;
    for (let turn = 0, failures = 0; !signal.aborted; turn++) {
      const url = endpoints[turn % endpoints.length] as string;
      this.#endpoint = url;
      const outlived = await this.#serve(url, signal);
      failures = outlived ? 0 : failures + 1;
      // The other endpoints are tried at once, all of them after a pause.
      const round = failures / endpoints.length;
      if (!Number.isInteger(round)) continue;
      await this.#clock.sleep(this.#pause.round(round), signal).catch(() => {});
    }
    await this.#save();
  }

  /** Works over one connection for as long as it is good; whether it was, for a while. */
  async #serve(url: string, signal: AbortSignal): Promise<boolean> {
    const { timeout, silence = SILENCE } = this.#options;
    let connection: Connection | undefined;
    let ticks = 0;
    try {
      connection = await Connection.open(url, {
        signal,
        ...(timeout === undefined ? {} : { timeout }),
      });
      const link = await Link.establish(
        connection,
        this.#cache,
        this.#genesis,
        signal,
      );
      this.#use(link);
      await link.watch(silence, this.#clock, signal, async (silent) => {
        this.#metrics.gauge("meshnode_chain_head_age_seconds", silent);
        if (++ticks % SAVE_EVERY === 0) await this.#save();
      });
    } catch (error) {
      if (!signal.aborted) this.#lost(url, error);
    } finally {
      this.#link = undefined;
      this.#metrics.gauge("meshnode_chain_connected", 0);
      await connection?.close();
    }
    return ticks > 0;
  }

  #use(link: Link): void {
    link.onHead = () => {
      this.#metrics.gauge("meshnode_chain_head", link.head.number);
      this.#tell();
    };
    this.#genesis = link.runtime.id.genesis;
    this.#link = link;
    this.#failure = undefined;
    this.#connections++;
    this.#metrics.count("meshnode_chain_connections_total");
    this.#metrics.gauge("meshnode_chain_connected", 1);
    this.#metrics.gauge("meshnode_chain_stale", 0);
    this.#log.info("Connected to the chain at {url}, block {block}.", {
      url: link.connection.url,
      block: link.head.number,
    });
    this.#tell();
  }

  #lost(url: string, error: unknown): void {
    const repeated = text(this.#failure) === text(error);
    this.#failure = error;
    this.#metrics.count("meshnode_chain_lost_connections_total");
    const facts = { url, error: text(error) };
    const message = "The chain at {url} is lost: {error}";
    if (repeated) this.#log.debug(message, facts);
    else this.#log.warn(message, facts);
    this.#tell();
  }

  #tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  /** The link, as soon as there is one. */
  async #connected(signal?: AbortSignal): Promise<Link> {
    const { timeout = TIMEOUT } = this.#options;
    using limit = deadline(timeout, signal, this.#closing.signal);
    for (;;) {
      if (this.#link !== undefined) return this.#link;
      const changed = this.#changed.promise;
      try {
        // Waiting would not help: the chain itself is not understood.
        if (this.#failure instanceof UnknownLayoutError) throw this.#failure;
        await raceSignal(changed, limit.signal);
      } catch (error) {
        if (error instanceof UnknownLayoutError) throw error;
        signal?.throwIfAborted();
        throw new ChainUnreadableError(
          this.#failure === undefined
            ? "The chain is not connected."
            : `The chain is not connected: ${text(this.#failure)}`,
          {
            cause: this.#failure ?? error,
            hint: "Check the endpoint's address and that it is running.",
          },
        );
      }
    }
  }

  /** The link; the last good state when the chain was never reached. */
  async #linkOrSaved(signal?: AbortSignal) {
    if (this.#link !== undefined || this.#connections > 0) {
      return await this.#connected(signal);
    }
    using patience = deadline(this.#options.patience ?? PATIENCE, signal);
    try {
      return await this.#connected(patience.signal);
    } catch (error) {
      const { state } = this.#saved;
      if (state !== undefined && this.#connections === 0) {
        signal?.throwIfAborted();
        this.#metrics.gauge("meshnode_chain_stale", 1);
        return {
          runtime: state.runtime,
          head: state.block,
          reader: StateReader.stale(state),
        };
      }
      if (signal?.aborted || error instanceof UnknownLayoutError) throw error;
      return await this.#connected(signal);
    }
  }

  async #save(): Promise<void> {
    const newest = [...this.#readers.values()].at(-1);
    if (newest !== undefined && this.#endpoint !== undefined) {
      await this.#saved.save(newest, this.#endpoint);
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readable(error: unknown): unknown {
  return error instanceof ConnectionError
    ? new ChainUnreadableError(error.message, { cause: error })
    : error;
}
