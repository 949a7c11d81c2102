import type { Clock } from "../../core/clock.ts";
import { deadline, raceSignal } from "../../core/deadline.ts";
import {
  type Connection,
  ConnectionError,
  JsonRpcError,
} from "./connection.ts";
import { type BlockHeader, readHeader } from "./header.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { askRuntimeId, loadRuntime, type Runtime } from "./runtime.ts";

const FIRST_HEAD_TIMEOUT = 10_000;
/** Shortest time between two looks at the connection, ms. */
const LEAST_TICK = 250;

/**
 * A connection with what was learnt over it: the runtime in force and the
 * newest head. Another runtime ends it, so that everything is learnt anew.
 */
export class Link {
  #head: BlockHeader;
  #silent = 0;
  /** The connection. */
  readonly connection: Connection;
  /** The runtime. */
  readonly runtime: Runtime;
  /** Is told of each new head. */
  onHead: () => void = () => {};

  private constructor(
    connection: Connection,
    runtime: Runtime,
    head: BlockHeader,
  ) {
    this.connection = connection;
    this.runtime = runtime;
    this.#head = head;
  }

  /**
   * Learns the runtime and the first head, and listens to what follows.
   * `genesis` is that of the chain that was met before.
   *
   * @throws {ConnectionError}, {UnknownLayoutError}
   */
  static async establish(
    connection: Connection,
    cache: MetadataCache,
    genesis: string | undefined,
    signal: AbortSignal,
  ): Promise<Link> {
    const ask = (
      method: string,
      params: readonly unknown[],
      each?: AbortSignal,
    ) => connection.request(method, params, each);
    const id = await askRuntimeId(ask, signal);
    if (genesis !== undefined && genesis !== id.genesis) {
      throw new ConnectionError(
        `${connection.url} serves another chain, with genesis ${id.genesis}.`,
        { hint: "Give endpoints of one chain only." },
      );
    }
    const runtime = await loadRuntime(id, ask, cache, signal);
    const first = Promise.withResolvers<Link>();
    let link: Link | undefined;
    await connection.subscribe("chain_subscribeNewHeads", (value) => {
      const head = readHeader(runtime.types, value);
      if (link === undefined) {
        link = new Link(connection, runtime, head);
        first.resolve(link);
      } else link.#take(head);
    });
    await subscribeToVersions(connection, runtime);
    using limit = deadline(FIRST_HEAD_TIMEOUT, signal);
    const gone = connection.closed.then((reason) => Promise.reject(reason));
    return await raceSignal(Promise.race([first.promise, gone]), limit.signal);
  }

  /** The newest head. */
  get head(): BlockHeader {
    return this.#head;
  }

  /**
   * Looks on until the connection is lost, or there is no new head for so many
   * block times. `onTick` is called once each block time.
   *
   * @throws the reason, always.
   */
  async watch(
    silence: number,
    clock: Clock,
    signal: AbortSignal,
    onTick: (silentSeconds: number) => Promise<void>,
  ): Promise<never> {
    const { blockMilliseconds } = this.runtime.constants;
    const tick = Math.max(LEAST_TICK, blockMilliseconds);
    using ended = deadline(Infinity, signal, this.#lost());
    for (;;) {
      // Counting block times, not reading the clock: it may jump.
      await clock.sleep(tick, ended.signal);
      this.#silent++;
      await onTick(this.#silent * tick / 1_000);
      if (this.#silent > silence) {
        throw new ConnectionError(
          `${this.connection.url} told of no new block for ${silence} block times.`,
        );
      }
    }
  }

  #take(head: BlockHeader): void {
    this.#head = head;
    this.#silent = 0;
    if (head.upgrades) this.connection.end("Another runtime is in force.");
    this.onHead();
  }

  #lost(): AbortSignal {
    const lost = new AbortController();
    this.connection.closed.then((reason) => lost.abort(reason));
    return lost.signal;
  }
}

/** Ends the connection when the endpoint tells of another runtime version. */
async function subscribeToVersions(
  connection: Connection,
  { id }: Runtime,
): Promise<void> {
  try {
    await connection.subscribe("state_subscribeRuntimeVersion", (value) => {
      const { specVersion } = Object(value) as Record<string, unknown>;
      if (specVersion !== id.specVersion) {
        connection.end("Another runtime is in force.");
      }
    });
  } catch (error) {
    // Not every endpoint offers it; the blocks themselves tell as well.
    if (!(error instanceof JsonRpcError)) throw error;
  }
}
