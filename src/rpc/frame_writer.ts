import type { Duplex } from "../network/duplex.ts";
import { RpcError } from "./errors.ts";

/** Bounds of what waits to be written to one stream. */
export interface WriterBounds {
  /** Most bytes of long frames that wait. */
  readonly bytes: number;
  /** Most frames that wait, whatever their length. */
  readonly frames: number;
  /** Milliseconds for which the peer may take nothing at all. */
  readonly stall: number;
}

/** The defaults of {@linkcode WriterBounds}. */
export const WRITER_BOUNDS: WriterBounds = {
  bytes: 16 * 1024 * 1024,
  frames: 8_192,
  stall: 30_000,
};

/** Frames up to this length are refused only by their number, bytes. */
const SHORT = 1024;

interface Queued {
  readonly frame: Uint8Array;
  readonly signal: AbortSignal | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Writes frames one after the other. Who writes waits until the stream takes
 * it, which is how a slow peer slows its callers; what waits is bounded, and a
 * peer that does not read at all loses the stream.
 */
export class FrameWriter {
  readonly #stream: Duplex;
  readonly #bounds: WriterBounds;
  #queue: Queued[] = [];
  #bytes = 0;
  #pumping: Promise<void> | undefined;
  #failure: unknown;

  /** Writes to the stream. */
  constructor(stream: Duplex, bounds: WriterBounds = WRITER_BOUNDS) {
    this.#stream = stream;
    this.#bounds = bounds;
  }

  /**
   * Writes one whole frame; none at all if the signal is aborted before its
   * turn comes.
   *
   * @throws {RpcError} `RPC_BUSY` when too much waits for the peer already;
   * and when the stream is gone.
   */
  write(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { bytes, frames } = this.#bounds;
    if (
      frame.length > SHORT && this.#bytes > 0 &&
      this.#bytes + frame.length > bytes
    ) {
      return Promise.reject(
        new RpcError(
          "RPC_BUSY",
          `The peer reads slowly: ${this.#bytes} bytes wait for it already.`,
          { hint: "Try again later, or another peer." },
        ),
      );
    }
    const done = Promise.withResolvers<void>();
    this.#queue.push({ frame, signal, done });
    this.#bytes += frame.length;
    if (this.#queue.length > frames) {
      this.#fail(new RpcError("RPC_BUSY", "The peer does not read."));
    } else this.#pumping ??= this.#pump();
    return done.promise;
  }

  /** Resolves once everything so far is written, or the stream is gone. */
  async flushed(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    for (let at = 0; at < this.#queue.length; at++) {
      const { frame, signal, done } = this.#queue[at] as Queued;
      if (at === 1_024) {
        // What was written is let go in portions, not one by one.
        this.#queue.splice(0, at);
        at = 0;
      }
      const stalled = setTimeout(
        () => this.#fail(new RpcError("RPC_BUSY", "The peer does not read.")),
        this.#bounds.stall,
      );
      try {
        signal?.throwIfAborted();
        await this.#stream.write(frame);
        done.resolve();
      } catch (error) {
        done.reject(error);
        if (!signal?.aborted) this.#fail(error);
      } finally {
        clearTimeout(stalled);
        this.#bytes -= frame.length;
      }
    }
    this.#queue = [];
    this.#pumping = undefined;
  }

  #fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    for (const { done } of this.#queue.splice(0)) done.reject(reason);
    this.#bytes = 0;
    this.#stream.abort(
      reason instanceof Error ? reason : new Error(String(reason)),
    );
  }
}
