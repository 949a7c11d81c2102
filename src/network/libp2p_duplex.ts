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
  readonly #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  #failure: Error | undefined;
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;
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
      if (data instanceof Uint8Array) this.#take(data);
      else for (const chunk of data) this.#take(chunk);
      if (this.#buffered > HIGH_WATER) this.#steer("pause");
    });
    stream.addEventListener("end", () => this.#end(undefined));
    stream.addEventListener("close", ({ error }) => this.#end(error));
    // Whoever hangs up at once may have done so before anybody listened.
    if (stream.status === "aborted" || stream.status === "reset") {
      this.#end(new Error("The stream was reset."));
    } else if (stream.readableEnded) this.#end(undefined);
  }

  /** See {@linkcode Duplex}. */
  get unread(): number {
    return this.#buffered;
  }

  /** Sends; what to wait for while the stream's window is full. */
  write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> | undefined {
    try {
      signal?.throwIfAborted();
      return this.#stream.send(bytes) ? undefined : this.#drained(signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The bytes as they arrive; for one reader. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // No generator: what one keeps between two messages, of which a stream
    // that is seldom used has one, is most of what the collector has to move.
    return { next: () => this.#next() };
  }

  /** Closes our direction once everything is sent. */
  async close(signal?: AbortSignal): Promise<void> {
    await this.#stream.close(signal === undefined ? {} : { signal });
  }

  /** Resets the stream. */
  abort(reason: Error): void {
    this.#stream.abort(reason);
  }

  #take(chunk: Uint8Array): void {
    const reader = this.#reader;
    if (reader === undefined) {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
    } else {
      this.#reader = undefined;
      reader.resolve({ value: chunk, done: false });
    }
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      const before = this.#buffered;
      this.#buffered -= chunk.length;
      if (before >= LOW_WATER && this.#buffered < LOW_WATER) {
        this.#steer("resume");
      }
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  async #drained(signal: AbortSignal | undefined): Promise<void> {
    // The stream's own onDrain() waits only once in its life.
    while (this.#stream.writableNeedsDrain) {
      await this.#drain(signal);
      // It sends what is queued in a microtask, and may be full again after it.
      await Promise.resolve();
    }
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
    const reader = this.#reader;
    this.#reader = undefined;
    if (this.#failure !== undefined) reader?.reject(this.#failure);
    else reader?.resolve({ value: undefined, done: true });
  }

  #steer(act: "pause" | "resume"): void {
    try {
      this.#stream[act]();
    } catch {
      // It is closing, and there is nothing left to steer.
    }
  }
}
