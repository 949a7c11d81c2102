import type { Duplex } from "../network/duplex.ts";

/**
 * Writes frames one after the other. Who writes waits until the stream takes
 * it, which is how a slow peer slows its callers and nothing piles up.
 */
export class FrameWriter {
  readonly #stream: Duplex;
  #last: Promise<void> = Promise.resolve();

  /** Writes to the stream. */
  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Writes one whole frame. @throws when the stream is gone. */
  write(frame: Uint8Array): Promise<void> {
    const written = this.#last.then(() => this.#stream.write(frame));
    this.#last = written.catch(() => {});
    return written;
  }

  /** Resolves once everything so far is written, or the stream is gone. */
  flushed(): Promise<void> {
    return this.#last;
  }
}
