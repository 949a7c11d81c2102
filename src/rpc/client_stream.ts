import {
  AuthError,
  type Authorizer,
  type ResponseFacts,
} from "../auth/authorizer.ts";
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
  FrameCutter,
  type FrameType,
} from "./frames.ts";
import { FrameWriter } from "./frame_writer.ts";

/** What a call's reader is handed: a checked frame, or why there is none. */
type Event =
  | { readonly type: FrameType; readonly body: Uint8Array }
  | { readonly failure: RpcError };

/** A call that is under way; hears when its caller gives up. */
interface Pending extends EventListenerObject {
  readonly call: number;
  readonly type: typeof FRAME["request" | "open"];
  readonly request: Uint8Array;
  readonly mostItems: number;
  readonly signal: AbortSignal;
  readonly take: (event: Event) => void;
  /** Checks of a stream's items happen in the order of arrival. */
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
  request(
    method: string,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const pending = this.#begin(
        FRAME.request,
        { method, body, window: 1, signal },
        (event) => {
          if (this.#pending.get(pending.call) !== pending) return;
          const failed = "failure" in event;
          this.#finish(pending, !failed || REMOTE_ENDED.has(event.failure));
          if (failed) reject(event.failure);
          else resolve(event.body);
        },
      );
    });
  }

  /** The items of a stream. @throws {RpcError} */
  async *open(
    method: string,
    body: Uint8Array,
    window: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const queue: Event[] = [];
    let wake = () => {};
    const pending = this.#begin(
      FRAME.open,
      { method, body, window, signal },
      (event) => {
        queue.push(event);
        wake();
      },
    );
    let ended = false;
    try {
      for (;;) {
        const event = queue.shift();
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        if ("failure" in event) {
          ended = REMOTE_ENDED.has(event.failure);
          throw event.failure;
        }
        ended = event.type === FRAME.end;
        if (ended) return;
        yield event.body;
        pending.waiting--;
        this.#send(FRAME.credit, pending.call, Uint8Array.of(0, 0, 0, 1));
      }
    } finally {
      this.#finish(pending, ended);
    }
  }

  #begin(
    type: typeof FRAME["request" | "open"],
    { method, body, window, signal }: {
      readonly method: string;
      readonly body: Uint8Array;
      readonly window: number;
      readonly signal: AbortSignal;
    },
    take: (event: Event) => void,
  ): Pending {
    if (this.#lost !== undefined) throw this.#lost;
    if (signal.aborted) throw asRpcError(signal.reason, "RPC_CANCELLED");
    const request = this.#authorizer.signRequest({
      method,
      peer: this.#stream.remotePeer,
      body,
    });
    const call = this.#next;
    const frame = encodeFrame(type, call, { method, auth: request, body });
    this.#next++;
    const pending: Pending = {
      ...{ call, type, request, signal, take },
      mostItems: window + 1,
      checked: Promise.resolve(),
      waiting: 0,
      sequence: 0,
      handleEvent: () =>
        take({ failure: asRpcError(signal.reason, "RPC_CANCELLED") }),
    };
    signal.addEventListener("abort", pending, { once: true });
    this.#pending.set(call, pending);
    this.#write(frame);
    return pending;
  }

  #finish(pending: Pending, ended: boolean): void {
    pending.signal.removeEventListener("abort", pending);
    this.#pending.delete(pending.call);
    if (!ended && this.#lost === undefined) {
      this.#send(FRAME.cancel, pending.call);
    }
  }

  #send(type: FrameType, call: number, body?: Uint8Array): void {
    this.#write(encodeFrame(type, call, body === undefined ? {} : { body }));
  }

  /** A failed write shows as the stream's loss. */
  #write(frame: Uint8Array): void {
    this.#writer.write(frame)?.catch((cause) => this.#fail(lost(cause)));
  }

  async #read(): Promise<void> {
    try {
      const cutter = new FrameCutter();
      for await (const chunk of this.#stream) {
        for (const frame of cutter.cut(chunk)) this.#take(frame);
      }
      cutter.end();
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
    // Nothing comes before a request's one answer.
    pending.checked = pending.type === FRAME.request
      ? this.#check(pending, frame, facts)
      : pending.checked.then(() => this.#check(pending, frame, facts));
  }

  /** Hands on what is signed as it should be; never rejects. */
  async #check(
    pending: Pending,
    { type, auth }: Frame,
    facts: ResponseFacts,
  ): Promise<void> {
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
    const { body } = facts;
    pending.take(
      type === FRAME.error ? { failure: remoteError(body) } : { type, body },
    );
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
