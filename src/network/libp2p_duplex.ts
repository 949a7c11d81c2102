import type { Stream } from "@libp2p/interface";
import type { Duplex } from "./duplex.ts";

/** A libp2p stream as a {@linkcode Duplex}. */
export class Libp2pDuplex implements Duplex {
  readonly #stream: Stream;
  /** Base58, as the connection's handshake proved it. */
  readonly remotePeer: string;

  /** Wraps an open stream of a connection to the peer. */
  constructor(stream: Stream, remotePeer: string) {
    this.#stream = stream;
    this.remotePeer = remotePeer;
  }

  /** Sends, and waits while the stream's window is full. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#stream.send(bytes)) return;
    await this.#stream.onDrain(signal === undefined ? {} : { signal });
  }

  /** The bytes as they arrive. */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for await (const chunk of this.#stream) {
      if (chunk instanceof Uint8Array) yield chunk;
      else yield* chunk;
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
}
