/**
 * A stream to one peer, as the calls between peers need it.
 *
 * Bytes arrive in any portions. The remote peer is the one that the
 * connection's handshake proved.
 */
export interface Duplex extends AsyncIterable<Uint8Array> {
  /** Base58. */
  readonly remotePeer: string;
  /** Bytes that came and were not read; absent where that is not known. */
  readonly unread?: number;
  /** The group of addresses it comes from; absent when that says nothing, as on this machine. */
  readonly origin?: string | undefined;
  /**
   * Sends bytes. While no more should be sent it gives what to wait for, which
   * is the back-pressure; the promise rejects when the stream is closed or
   * reset, or the signal is aborted.
   */
  write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> | undefined;
  /** Ends the stream orderly: what was written is still delivered. */
  close(signal?: AbortSignal): Promise<void>;
  /** Ends the stream at once. */
  abort(reason: Error): void;
}

/** Opens and accepts streams of one protocol. */
export interface Transport {
  /** Our own peer id, base58. */
  readonly peerId: string;
  /**
   * Opens a stream, dialling the peer when there is no connection.
   *
   * @throws {MeshError} `PEER_UNREACHABLE` when it cannot be opened.
   */
  open(peerId: string, signal?: AbortSignal): Promise<Duplex>;
  /** Sets who is handed the streams that others open; called once. */
  accept(handler: (stream: Duplex) => void): void;
}
