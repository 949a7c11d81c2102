import { concat } from "../core/bytes.ts";
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
/** Most bytes of frames that are written together. */
const TOGETHER = 16 * 1024;

interface Queued {
  readonly frame: Uint8Array;
  readonly signal: AbortSignal | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Writes frames one after the other; short ones that wait for the same turn go
 * out together. Who writes waits until the stream takes
 * it, which is how a slow peer slows its callers; what waits is bounded, and a
 * peer that does not read at all loses the stream.
 */
export class FrameWriter {
  readonly #stream: Duplex;
  readonly #bounds: WriterBounds;
  #queue: Queued[] = [];
  /** Of the frames that wait. */
  #bytes = 0;
  /** Frames in the write that is under way. */
  #writing = 0;
  /** Whether what is written now has to wait its turn. */
  #isBusy = false;
  #pumping: Promise<void> | undefined;
  #failure: unknown;

  /** Writes to the stream. */
  constructor(stream: Duplex, bounds: WriterBounds = WRITER_BOUNDS) {
    this.#stream = stream;
    this.#bounds = bounds;
  }

  /**
   * Writes one whole frame; none at all if the signal is aborted before its
   * turn comes. Gives what to wait for, unless the stream took it at once: the
   * promise rejects with an {@linkcode RpcError} `RPC_BUSY` when too much waits
   * for the peer already, and when the stream is gone.
   */
  write(frame: Uint8Array, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#isBusy) return this.#enqueue(frame, signal);
    this.#isBusy = true;
    const waiting = this.#stream.write(frame);
    if (waiting === undefined) {
      // What else is written at this moment goes out together.
      queueMicrotask(this.#goOn);
      return undefined;
    }
    this.#bytes += frame.length;
    const taken = this.#taken(waiting, 1, frame.length);
    this.#pumping = taken.then(this.#goOn, this.#goOn);
    return taken;
  }

  /** Resolves once everything so far is written, or the stream is gone. */
  async flushed(): Promise<void> {
    while (this.#isBusy) await this.#pumping;
  }

  #enqueue(frame: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
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
    if (this.#queue.length + this.#writing > frames) {
      this.#fail(new RpcError("RPC_BUSY", "The peer does not read."));
    }
    return done.promise;
  }

  readonly #goOn = () => {
    this.#pumping = undefined;
    if (this.#queue.length > 0) this.#pumping = this.#pump();
    else this.#isBusy = false;
  };

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#batch();
      if (batch.length === 0) continue;
      const bytes = joined(batch);
      try {
        const waiting = this.#stream.write(bytes);
        if (waiting === undefined) this.#bytes -= bytes.length;
        else await this.#taken(waiting, batch.length, bytes.length);
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#goOn();
  }

  /** Waits until the stream takes what was written, as long as it is not stalled. */
  async #taken(
    waiting: Promise<void>,
    frames: number,
    bytes: number,
  ): Promise<void> {
    this.#writing = frames;
    const stalled = setTimeout(
      () => this.#fail(new RpcError("RPC_BUSY", "The peer does not read.")),
      this.#bounds.stall,
    );
    try {
      await waiting;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      clearTimeout(stalled);
      this.#writing = 0;
      this.#bytes -= bytes;
    }
  }

  /** What is written next: short frames together, as each write costs the same. */
  #batch(): Queued[] {
    let [count, bytes] = [0, 0];
    for (const { frame } of this.#queue) {
      if (count > 0 && bytes + frame.length > TOGETHER) break;
      count++;
      bytes += frame.length;
    }
    return this.#queue.splice(0, count).filter(({ frame, signal, done }) => {
      if (!signal?.aborted) return true;
      this.#bytes -= frame.length;
      done.reject(signal.reason);
      return false;
    });
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

function joined(batch: readonly Queued[]): Uint8Array {
  const [only] = batch;
  return batch.length === 1 && only !== undefined
    ? only.frame
    : concat(...batch.map(({ frame }) => frame));
}
