import type { Stream } from "@libp2p/interface";
import type { Duplex } from "./duplex.ts";

/** Unread bytes at which the sender is told to wait, and to go on. */
const HIGH_WATER = 256 * 1024;
const LOW_WATER = 64 * 1024;

/**
 * A libp2p stream as a {@linkcode Duplex}.
 *
 * libp2p's own iterator takes in whatever arrives; this one pauses the stream
 * while its reader is slow, so that the sender's window closes.
 */
export class Libp2pDuplex implements Duplex {
  readonly #stream: Stream;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake = () => {};
  /** Base58, as the connection's handshake proved it. */
  readonly remotePeer: string;
  /** See {@linkcode Duplex}. */
  readonly origin: string | undefined;

  /** Wraps an open stream of a connection to the peer; must see it before any byte is read. */
  constructor(stream: Stream, remotePeer: string, origin?: string) {
    this.#stream = stream;
    this.remotePeer = remotePeer;
    this.origin = origin;
    stream.addEventListener("message", ({ data }) => {
      const chunks = data instanceof Uint8Array ? [data] : [...data];
      this.#chunks.push(...chunks);
      this.#buffered += data.byteLength;
      if (this.#buffered > HIGH_WATER) this.#steer("pause");
      this.#wake();
    });
    stream.addEventListener("end", () => this.#end(undefined));
    stream.addEventListener("close", ({ error }) => this.#end(error));
    // Whoever hangs up at once may have done so before anybody listened.
    if (stream.status === "aborted" || stream.status === "reset") {
      this.#end(new Error("The stream was reset."));
    } else if (stream.readableEnded) this.#end(undefined);
  }

  /** Sends, and waits while the stream's window is full. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#stream.send(bytes)) return;
    // The stream's own onDrain() waits only once in its life.
    while (this.#stream.writableNeedsDrain) {
      await this.#drain(signal);
      // It sends what is queued in a microtask, and may be full again after it.
      await Promise.resolve();
    }
  }

  /** The bytes as they arrive; for one reader. */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      for (const chunk of chunks) {
        this.#buffered -= chunk.length;
        if (this.#buffered < LOW_WATER) this.#steer("resume");
        yield chunk;
      }
      if (this.#chunks.length > 0) continue;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Closes our direction once everything is sent. */
  async close(signal?: AbortSignal): Promise<void> {
    await this.#stream.close(signal === undefined ? {} : { signal });
  }

  /** Resets the stream. */
  abort(reason: Error): void {
    this.#stream.abort(reason);
  }

  #drain(signal: AbortSignal | undefined): Promise<void> {
    const stream = this.#stream;
    const settled = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const once = { once: true, signal: settled.signal };
    stream.addEventListener("drain", () => resolve(), once);
    stream.addEventListener(
      "close",
      ({ error }) => reject(error ?? new Error("The stream was closed.")),
      once,
    );
    signal?.addEventListener("abort", () => reject(signal.reason), once);
    if (stream.status !== "open" && stream.status !== "closing") {
      reject(new Error("The stream was closed."));
    }
    return promise.finally(() => settled.abort());
  }

  #end(failure: Error | undefined): void {
    const { status } = this.#stream;
    // What ended by a reset ends with the error that the close brings.
    if (failure === undefined && (status === "aborted" || status === "reset")) {
      return;
    }
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake();
  }

  #steer(act: "pause" | "resume"): void {
    try {
      this.#stream[act]();
    } catch {
      // It is closing, and there is nothing left to steer.
    }
  }
}
