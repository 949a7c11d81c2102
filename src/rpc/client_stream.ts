import { AuthError, type Authorizer } from "../auth/authorizer.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Duplex } from "../network/duplex.ts";
import { busyError } from "./busy.ts";
import {
  asRpcError,
  RPC_ERROR_CODES,
  RpcError,
  type RpcErrorCode,
} from "./errors.ts";
import {
  encodeFrame,
  FRAME,
  type Frame,
  type FrameType,
  readFrames,
} from "./frames.ts";
import { FrameWriter } from "./frame_writer.ts";

/** What a call's reader is handed: a checked frame, or why there is none. */
type Event =
  | { readonly type: FrameType; readonly body: Uint8Array }
  | { readonly failure: RpcError };

interface Pending {
  readonly type: typeof FRAME["request" | "open"];
  readonly request: Uint8Array;
  readonly mostItems: number;
  readonly take: (event: Event) => void;
  /** Checks happen in the order of arrival. */
  checked: Promise<void>;
  waiting: number;
  sequence: number;
}

const text = new TextDecoder();

/** Our calls on one stream to one peer. */
export class ClientStream {
  readonly #stream: Duplex;
  readonly #authorizer: Authorizer;
  readonly #metrics: Metrics;
  readonly #writer: FrameWriter;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #lost: RpcError | undefined;
  /** Settles once the stream is gone and nothing of it is under way. */
  readonly done: Promise<void>;

  /** Uses a stream that was opened for calls. */
  constructor(stream: Duplex, authorizer: Authorizer, metrics: Metrics) {
    this.#stream = stream;
    this.#authorizer = authorizer;
    this.#metrics = metrics;
    this.#writer = new FrameWriter(stream);
    this.done = this.#read();
  }

  /** Whether calls can still be made on it. */
  get usable(): boolean {
    return this.#lost === undefined;
  }

  /** Ends the stream; calls under way fail. */
  abort(reason: RpcError): void {
    this.#fail(reason);
    this.#stream.abort(reason);
  }

  /** The one answer to a request. @throws {RpcError} */
  async request(
    method: string,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const events = this.#events(FRAME.request, method, body, 1, signal);
    for await (const event of events) return event.body;
    throw new RpcError("RPC_PROTOCOL", "The answer is empty.");
  }

  /** The items of a stream. @throws {RpcError} */
  async *open(
    method: string,
    body: Uint8Array,
    window: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const events = this.#events(FRAME.open, method, body, window, signal);
    for await (const event of events) {
      if (event.type === FRAME.end) return;
      yield event.body;
    }
  }

  async *#events(
    type: typeof FRAME["request" | "open"],
    method: string,
    body: Uint8Array,
    window: number,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly type: FrameType; readonly body: Uint8Array }> {
    if (this.#lost !== undefined) throw this.#lost;
    const queue: Event[] = [];
    let wake = () => {};
    const auth = this.#authorizer.signRequest({
      method,
      peer: this.#stream.remotePeer,
      body,
    });
    const frame = encodeFrame(type, this.#next, { method, auth, body });
    const call = this.#next++;
    const pending: Pending = {
      type,
      request: auth,
      mostItems: window + 1,
      take: (event) => {
        queue.push(event);
        wake();
      },
      checked: Promise.resolve(),
      waiting: 0,
      sequence: 0,
    };
    const cancelled = () =>
      pending.take({ failure: asRpcError(signal.reason, "RPC_CANCELLED") });
    signal.addEventListener("abort", cancelled, { once: true });
    this.#pending.set(call, pending);
    let ended = false;
    try {
      signal.throwIfAborted();
      // A failed write shows as the stream's loss.
      this.#writer.write(frame).catch((cause) => this.#fail(lost(cause)));
      for (;;) {
        const event = queue.shift();
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        if ("failure" in event) throw event.failure;
        ended = event.type === FRAME.result || event.type === FRAME.end;
        yield event;
        if (ended) return;
        pending.waiting--;
        this.#send(FRAME.credit, call, Uint8Array.of(0, 0, 0, 1));
      }
    } catch (error) {
      ended ||= error instanceof RpcError && REMOTE_ENDED.has(error);
      throw asRpcError(error, "RPC_CANCELLED");
    } finally {
      signal.removeEventListener("abort", cancelled);
      this.#pending.delete(call);
      if (!ended && this.#lost === undefined) this.#send(FRAME.cancel, call);
    }
  }

  #send(type: FrameType, call: number, body = new Uint8Array()): void {
    this.#writer.write(encodeFrame(type, call, { body }))
      .catch((cause) => this.#fail(lost(cause)));
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of readFrames(this.#stream)) this.#take(frame);
      this.#fail(lost("The peer closed the stream."));
      await this.#stream.close(AbortSignal.timeout(1_000)).catch(() => {});
    } catch (error) {
      if (error instanceof RpcError) {
        this.#metrics.count("meshnode_rpc_violations_total", {
          side: "client",
        });
      }
      this.#fail(lost(error));
      this.#stream.abort(error instanceof Error ? error : new Error("ended"));
    }
  }

  #take(frame: Frame): void {
    if (frame.type < FRAME.result || frame.type > FRAME.error) {
      throw new RpcError(
        "RPC_PROTOCOL",
        `A frame of type ${frame.type} makes no sense to a caller.`,
      );
    }
    const pending = this.#pending.get(frame.call);
    // The answer to a call that was given up meanwhile.
    if (pending === undefined) return;
    if (
      frame.type !== FRAME.error &&
      (frame.type === FRAME.result) !== (pending.type === FRAME.request)
    ) {
      throw new RpcError(
        "RPC_PROTOCOL",
        "One answer came where a stream was asked for, or the other way round.",
      );
    }
    if (frame.type === FRAME.item && ++pending.waiting > pending.mostItems) {
      throw new RpcError("RPC_PROTOCOL", "Items come without being asked for.");
    }
    const { type, auth, body } = frame;
    if (type === FRAME.error && auth.length === 0) {
      const failure = busyError(body);
      if (failure !== undefined) {
        REMOTE_ENDED.add(failure);
        return pending.take({ failure });
      }
    }
    const facts = {
      request: pending.request,
      peer: this.#stream.remotePeer,
      kind: type,
      sequence: pending.sequence++,
      body,
    };
    pending.checked = pending.checked.then(async () => {
      try {
        await this.#authorizer.checkResponse(facts, auth);
      } catch (error) {
        const reason = error instanceof AuthError ? error.refusal : "error";
        this.#metrics.count("meshnode_rpc_unauthorized_total", {
          side: "client",
          reason,
        });
        const failure = new RpcError(
          "RPC_UNAUTHORIZED",
          `The answer is not accepted: ${
            error instanceof Error ? error.message : error
          }`,
          { cause: error },
        );
        return pending.take({ failure });
      }
      pending.take(
        type === FRAME.error ? { failure: remoteError(body) } : { type, body },
      );
    });
  }

  #fail(reason: RpcError): void {
    this.#lost ??= reason;
    for (const { take } of this.#pending.values()) take({ failure: reason });
  }
}

/** Failures after which the other side works no more on the call. */
const REMOTE_ENDED = new WeakSet<RpcError>();

function remoteError(body: Uint8Array): RpcError {
  const [, code, message] = /^(\S+) (.*)$/s.exec(text.decode(body)) ?? [];
  const known = RPC_ERROR_CODES.find((each) => each === code);
  const error = new RpcError(
    known ?? "RPC_PROTOCOL",
    `The peer refused: ${(message ?? "").slice(0, 500)}`,
  );
  REMOTE_ENDED.add(error);
  return error;
}

function lost(cause: unknown): RpcError {
  const why: RpcErrorCode = "RPC_UNREACHABLE";
  if (cause instanceof RpcError && cause.kind === why) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new RpcError(why, `The stream was lost: ${message}`, { cause });
}
