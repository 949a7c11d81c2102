import type { Authorizer } from "../auth/authorizer.ts";
import type { CallLimiter } from "../auth/call_limiter.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";
import type { Duplex, Transport } from "../network/duplex.ts";
import { ClientStream } from "./client_stream.ts";
import { asRpcError, RpcError } from "./errors.ts";
import { ServerStream } from "./server_stream.ts";
import { Slots } from "./slots.ts";
import {
  type Handler,
  RPC_LIMITS,
  type RpcCallOptions,
  type RpcLimits,
  type ServeOptions,
  type StreamHandler,
  type UnaryHandler,
} from "./types.ts";

/** Options of {@linkcode Rpc}. */
export interface RpcOptions {
  /** Opens and accepts streams. */
  readonly transport: Transport;
  /** Signs what is sent and checks what comes. */
  readonly authorizer: Authorizer;
  /** Limits what peers ask; nobody by default. */
  readonly limiter?: CallLimiter | undefined;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
  /** Bounds other than {@linkcode RPC_LIMITS}. */
  readonly limits?: Partial<RpcLimits>;
}

/** Our calls at one peer. */
interface Callee {
  readonly slots: Slots;
  /** The kept stream, shared by whoever calls while it opens. */
  stream: Promise<ClientStream> | undefined;
  /** The same once it is open. */
  open: ClientStream | undefined;
  /** Until when the peer wants not to be asked for a method, ms of the process. */
  readonly pauses: Map<string, number>;
}

const DEFAULT_TIMEOUT = 3_000;
const OPEN_TIMEOUT = 5_000;

/** Calls between nodes: many at once over one kept stream to each peer. */
export class Rpc {
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #limiter: CallLimiter | undefined;
  readonly #metrics: Metrics;
  readonly #limits: RpcLimits;
  readonly #handlers = new Map<string, Handler>();
  readonly #callees = new Map<string, Callee>();
  readonly #served = new Map<string, number>();
  readonly #tasks = new Tasks();
  readonly #stopping = new AbortController();

  /** Takes over the transport's incoming streams. */
  constructor(options: RpcOptions) {
    this.#transport = options.transport;
    this.#authorizer = options.authorizer;
    this.#limiter = options.limiter;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#limits = { ...RPC_LIMITS, ...options.limits };
    this.#transport.accept((stream) => this.#serve(stream));
  }

  /**
   * Serves a method with one answer. Returns what ends the serving.
   *
   * @throws {MeshError} `RPC_METHOD_TAKEN` when it is served already.
   */
  register(
    method: string,
    handle: UnaryHandler,
    options: ServeOptions = {},
  ): () => void {
    return this.#register(method, { ...options, kind: "unary", handle });
  }

  /** Serves a method with a stream of answers; otherwise like {@linkcode Rpc.register}. */
  registerStream(
    method: string,
    handle: StreamHandler,
    options: ServeOptions = {},
  ): () => void {
    return this.#register(method, { ...options, kind: "stream", handle });
  }

  /** Asks a peer for one answer. @throws {RpcError} */
  async call(
    peerId: string,
    method: string,
    body: Uint8Array,
    options: RpcCallOptions = {},
  ): Promise<Uint8Array> {
    using limit = this.#deadline(options);
    const { signal } = limit;
    try {
      const callee = this.#callee(peerId, method);
      await callee.slots.enter(signal);
      try {
        const stream = callee.open ?? await this.#streamTo(peerId, signal);
        return await stream.request(method, body, signal);
      } finally {
        this.#left(peerId, callee);
      }
    } catch (error) {
      throw this.#failure(peerId, method, error, signal);
    }
  }

  /** Asks a peer for a stream of answers; leaving the loop ends it on both sides. @throws {RpcError} */
  async *stream(
    peerId: string,
    method: string,
    body: Uint8Array,
    options: RpcCallOptions = {},
  ): AsyncGenerator<Uint8Array> {
    using limit = this.#deadline(options);
    const { signal } = limit;
    try {
      const callee = this.#callee(peerId, method);
      await callee.slots.enter(signal);
      try {
        const stream = callee.open ?? await this.#streamTo(peerId, signal);
        yield* stream.open(method, body, this.#limits.streamWindow, signal);
      } finally {
        this.#left(peerId, callee);
      }
    } catch (error) {
      throw this.#failure(peerId, method, error, signal);
    }
  }

  /** Ends all calls and streams, and waits for every task. */
  async stop(): Promise<void> {
    const reason = new RpcError("RPC_CANCELLED", "The node stops.");
    this.#stopping.abort(reason);
    for (const { stream } of this.#callees.values()) {
      stream?.then((open) => open.abort(reason), () => {});
    }
    await this.#tasks.settled();
  }

  #register(method: string, handler: Handler): () => void {
    if (this.#handlers.has(method)) {
      throw new MeshError(
        "RPC_METHOD_TAKEN",
        `The method ${method} is served already.`,
        { hint: "Choose another name, or end the other service first." },
      );
    }
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  #deadline({ timeout = DEFAULT_TIMEOUT, signal }: RpcCallOptions) {
    return deadline(timeout, signal, this.#stopping.signal);
  }

  /** Our calls at a peer that lets itself be asked. */
  #callee(peerId: string, method: string): Callee {
    const { callsInFlight, callsWaiting } = this.#limits;
    let callee = this.#callees.get(peerId);
    if (callee === undefined) {
      callee = {
        slots: new Slots(callsInFlight, callsWaiting),
        stream: undefined,
        open: undefined,
        pauses: new Map(),
      };
      this.#callees.set(peerId, callee);
    }
    this.#rest(callee, method);
    return callee;
  }

  #left(peerId: string, { slots }: Callee): void {
    slots.leave();
    this.#forget(peerId);
  }

  /** Fails while the peer wants not to be asked. */
  #rest({ pauses }: Callee, method: string): void {
    const retryAfter = (pauses.get(method) ?? 0) - performance.now();
    if (retryAfter <= 0) return;
    throw new RpcError(
      "RPC_BUSY",
      `The peer asked for a pause of ${Math.ceil(retryAfter)} ms.`,
      { retryAfter },
    );
  }

  async #streamTo(peerId: string, signal: AbortSignal): Promise<ClientStream> {
    const callee = this.#callees.get(peerId);
    if (callee === undefined) throw new RpcError("RPC_CANCELLED", "Forgotten.");
    callee.stream ??= this.#open(peerId, callee);
    return await raceSignal(callee.stream, signal);
  }

  /** Opens the stream that all calls to the peer share, and watches its end. */
  #open(peerId: string, callee: Callee): Promise<ClientStream> {
    const opened = (async () => {
      // Not one caller's deadline: others wait for the same stream.
      using limit = deadline(OPEN_TIMEOUT, this.#stopping.signal);
      const duplex = await this.#transport.open(peerId, limit.signal);
      return new ClientStream(duplex, this.#authorizer, this.#metrics);
    })();
    const gone = opened.then((stream) => {
      callee.open = stream;
      return stream.done;
    }, () => {}).then(() => {
      if (callee.stream === opened) callee.stream = callee.open = undefined;
      this.#forget(peerId);
    });
    this.#tasks.own(gone);
    return opened;
  }

  /** Peers come and go; what is kept of them must not add up. */
  #forget(peerId: string): void {
    const callee = this.#callees.get(peerId);
    if (callee?.slots.idle && callee.stream === undefined) {
      this.#callees.delete(peerId);
    }
  }

  #serve(stream: Duplex): void {
    const peerId = stream.remotePeer;
    const count = this.#served.get(peerId) ?? 0;
    const limited = this.#limiter?.admit({
      peer: peerId,
      origin: stream.origin,
      what: "streams",
      bytes: 0,
    });
    if (
      this.#stopping.signal.aborted || limited !== undefined ||
      count >= this.#limits.streamsPerPeer
    ) {
      this.#metrics.count("meshnode_rpc_streams_refused_total");
      stream.abort(new RpcError("RPC_BUSY", "Too many streams."));
      return;
    }
    this.#served.set(peerId, count + 1);
    const served = new ServerStream(stream, {
      authorizer: this.#authorizer,
      handlers: this.#handlers,
      limits: this.#limits,
      limiter: this.#limiter,
      metrics: this.#metrics,
    });
    this.#tasks.own(
      served.run(this.#stopping.signal).finally(() => {
        const left = (this.#served.get(peerId) ?? 1) - 1;
        if (left > 0) this.#served.set(peerId, left);
        else this.#served.delete(peerId);
      }),
    );
  }

  #failure(
    peerId: string,
    method: string,
    error: unknown,
    signal: AbortSignal,
  ): RpcError {
    const { reason } = signal;
    const timedOut = signal.aborted && reason instanceof DOMException &&
      reason.name === "TimeoutError";
    const failure = timedOut
      ? new RpcError(
        "RPC_TIMEOUT",
        `${method} at ${peerId} was not answered in time.`,
        { cause: error },
      )
      : signal.aborted
      ? asRpcError(reason, "RPC_CANCELLED")
      : asRpcError(error, "RPC_UNREACHABLE");
    if (failure.kind === "RPC_BUSY" && failure.retryAfter !== undefined) {
      // Asking on would only make it worse, for us above all.
      this.#callees.get(peerId)?.pauses
        .set(method, performance.now() + failure.retryAfter);
    }
    this.#metrics.count("meshnode_rpc_failed_calls_total", {
      code: failure.kind,
    });
    return failure;
  }
}
