import type { Authorizer } from "../auth/authorizer.ts";
import { AuthError } from "../auth/authorizer.ts";
import type { CallLimiter, Limited } from "../auth/call_limiter.ts";
import { loggerOf } from "../core/log.ts";
import { MeshError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";
import type { Duplex } from "../network/duplex.ts";
import { busyBody } from "./busy.ts";
import { asRpcError, RpcError, type RpcErrorCode } from "./errors.ts";
import { encodeFrame, FRAME, type Frame, FrameCutter } from "./frames.ts";
import { FrameWriter } from "./frame_writer.ts";
import { Turn } from "./turn.ts";
import type { Handler, RpcLimits } from "./types.ts";

/** What every stream that is served shares. */
export interface Service {
  /** Checks requests and signs answers. */
  readonly authorizer: Authorizer;
  /** The handlers by method. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Bounds. */
  readonly limits: RpcLimits;
  /** Limits what peers ask; nobody by default. */
  readonly limiter: CallLimiter | undefined;
  /** Where to count. */
  readonly metrics: Metrics;
}

interface Served {
  readonly abort: AbortController;
  credit: number;
  creditCame: () => void;
}

const utf8 = new TextEncoder();
const MAX_ERROR_TEXT = 500;
/**
 * Cancels and credits that a stream may bring beyond one for each call and one
 * for each item sent, which is all that a caller has reason to send.
 */
const SPARE_SIGNALS = 64;
/** When a peer with as many calls under way as it may have should try again, ms. */
const FULL_PAUSE = 100;

/** Answers the calls that arrive on one stream. */
export class ServerStream {
  readonly #stream: Duplex;
  readonly #service: Service;
  readonly #writer: FrameWriter;
  readonly #calls = new Map<number, Served>();
  readonly #tasks = new Tasks();
  readonly #log = loggerOf("rpc");
  #bytes = 0;
  /** Cancels and credits that may still come. */
  #signals = SPARE_SIGNALS;

  /** Serves a stream that a peer opened. */
  constructor(stream: Duplex, service: Service) {
    this.#stream = stream;
    this.#service = service;
    this.#writer = new FrameWriter(stream);
  }

  /** Answers until the stream ends; every call's task is awaited. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stream.abort(new Error("The node stops."));
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      const turn = new Turn();
      const cutter = new FrameCutter();
      let idle = true;
      for await (const chunk of this.#stream) {
        if (idle) turn.begin();
        for (const frame of cutter.cut(chunk)) {
          this.#take(frame);
          if (turn.isOver) await turn.pass();
        }
        idle = this.#stream.unread === 0;
      }
      cutter.end();
      await this.#writer.flushed();
      await this.#stream.close(AbortSignal.timeout(1_000));
    } catch (error) {
      if (error instanceof RpcError) {
        this.#service.metrics.count("meshnode_rpc_violations_total", {
          side: "server",
        });
        this.#log.debug("{peerId} broke the protocol: {error}", {
          peerId: this.#stream.remotePeer,
          error,
        });
      }
      this.#stream.abort(error instanceof Error ? error : new Error("ended"));
    } finally {
      signal.removeEventListener("abort", stop);
      for (const { abort } of this.#calls.values()) abort.abort();
      await this.#tasks.settled();
    }
  }

  #take(frame: Frame): void {
    if (frame.type === FRAME.request || frame.type === FRAME.open) {
      return this.#begin(frame);
    }
    if (this.#signals-- <= 0) {
      throw new RpcError(
        "RPC_PROTOCOL",
        "Far more calls are cancelled, or credits given, than there is reason to.",
      );
    }
    const call = this.#calls.get(frame.call);
    if (frame.type === FRAME.cancel) {
      call?.abort.abort(new RpcError("RPC_CANCELLED", "The caller gave up."));
    } else if (frame.type === FRAME.credit && frame.body.length === 4) {
      if (call === undefined) return;
      const more = new DataView(frame.body.buffer, frame.body.byteOffset);
      call.credit = Math.min(
        call.credit + more.getUint32(0),
        this.#service.limits.streamWindow,
      );
      call.creditCame();
    } else {
      throw new RpcError(
        "RPC_PROTOCOL",
        `A frame of type ${frame.type} makes no sense to a server.`,
      );
    }
  }

  #begin(frame: Frame): void {
    if (this.#calls.has(frame.call)) {
      throw new RpcError("RPC_PROTOCOL", "A call number is used twice.");
    }
    this.#signals++;
    const limited = this.#limited(frame);
    if (limited !== undefined) return this.#turnAway(frame.call, limited);
    const { servedInFlight, servedBytes, streamWindow } = this.#service.limits;
    if (
      this.#calls.size >= servedInFlight ||
      this.#bytes + frame.body.length > servedBytes
    ) {
      const full = { reason: "limited", retryAfter: FULL_PAUSE } as const;
      return this.#turnAway(frame.call, full);
    }
    const call: Served = {
      abort: new AbortController(),
      credit: streamWindow,
      creditCame: () => {},
    };
    this.#calls.set(frame.call, call);
    this.#bytes += frame.body.length;
    this.#tasks.own(
      this.#answer(frame, call).then(() => {
        this.#calls.delete(frame.call);
        this.#bytes -= frame.body.length;
      }),
    );
  }

  /** Looks at nothing but who asks, for what, and how long it is. */
  #limited({ method, body }: Frame): Limited | undefined {
    const { limiter, handlers } = this.#service;
    const handler = handlers.get(method);
    return limiter?.admit({
      peer: this.#stream.remotePeer,
      origin: this.#stream.origin,
      what: handler === undefined ? "unserved" : { method },
      bytes: body.length,
      quota: handler?.quota,
    });
  }

  /** Refuses without a signature; who is banned loses the stream. */
  #turnAway(call: number, { reason, retryAfter }: Limited): void {
    this.#service.metrics.count("meshnode_rpc_refused_total", {
      code: "RPC_BUSY",
    });
    if (reason === "banned") {
      throw new RpcError("RPC_PROTOCOL", "The peer asks far too much.");
    }
    this.#writer.write(
      encodeFrame(FRAME.error, call, { body: busyBody(retryAfter) }),
    )?.catch(() => {
      // The stream is gone, and with it whoever waits for the answer.
    });
  }

  /** Never rejects. */
  async #answer(frame: Frame, call: Served): Promise<void> {
    let sequence = 0;
    const peerId = this.#stream.remotePeer;
    const send = async (
      kind: typeof FRAME["result" | "item" | "end" | "error"],
      body: Uint8Array,
    ) => {
      const auth = this.#service.authorizer.signResponse({
        request: frame.auth,
        peer: peerId,
        kind,
        sequence,
        body,
      });
      const answer = encodeFrame(kind, frame.call, { auth, body });
      // Only what can be sent has a place in the order.
      sequence++;
      await this.#writer.write(answer);
    };
    try {
      try {
        await this.#perform(frame, call, send);
      } catch (error) {
        if (call.abort.signal.aborted) return;
        const { kind, message } = this.#outward(frame.method, error);
        await send(FRAME.error, utf8.encode(`${kind} ${message}`));
      }
    } catch {
      // The stream is gone, and with it whoever waits for the answer.
    }
  }

  async #perform(
    frame: Frame,
    call: Served,
    send: (
      kind: typeof FRAME["result" | "item" | "end"],
      body: Uint8Array,
    ) => Promise<void>,
  ): Promise<void> {
    const { signal } = call.abort;
    const { method, body } = frame;
    const peerId = this.#stream.remotePeer;
    const handler = this.#service.handlers.get(method);
    await this.#service.authorizer.checkRequest(
      { method, peer: peerId, body, minClass: handler?.minClass },
      frame.auth,
      signal,
    );
    const wanted = frame.type === FRAME.request ? "unary" : "stream";
    if (handler?.kind !== wanted) {
      throw new RpcError(
        "RPC_UNKNOWN_METHOD",
        `There is no ${wanted} method "${method}" here.`,
      );
    }
    const context = { peerId, signal };
    if (handler.kind === "unary") {
      return await send(FRAME.result, await handler.handle(body, context));
    }
    signal.addEventListener("abort", () => call.creditCame(), { once: true });
    for await (const item of handler.handle(body, context)) {
      while (call.credit === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          call.creditCame = resolve;
        });
      }
      signal.throwIfAborted();
      call.credit--;
      this.#signals++;
      await send(FRAME.item, item);
    }
    await send(FRAME.end, new Uint8Array());
  }

  /** What the caller is told: our own refusals, but nothing of our insides. */
  #outward(
    method: string,
    error: unknown,
  ): { readonly kind: RpcErrorCode; readonly message: string } {
    let told: RpcError;
    if (error instanceof AuthError) {
      told = new RpcError(
        "RPC_UNAUTHORIZED",
        `${error.refusal}: ${error.message}`,
      );
      this.#service.metrics.count("meshnode_rpc_unauthorized_total", {
        side: "server",
        reason: error.refusal,
      });
    } else if (error instanceof MeshError) {
      told = asRpcError(error, "RPC_BAD_REQUEST");
    } else {
      told = new RpcError("RPC_REMOTE_FAILED", "The handler failed.");
      this.#log.error("The handler of {method} failed: {error}", {
        method,
        error,
      });
    }
    this.#service.metrics.count("meshnode_rpc_refused_total", {
      code: told.kind,
    });
    return { kind: told.kind, message: told.message.slice(0, MAX_ERROR_TEXT) };
  }
}
