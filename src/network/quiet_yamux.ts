import type { StreamMuxer, StreamMuxerFactory } from "@libp2p/interface";
import { yamux, type YamuxMuxerInit } from "@libp2p/yamux";
import { StreamState } from "@libp2p/yamux/stream";

// What the library's objects offer beyond their declared interfaces.
interface MuxerParts {
  _newStream(...args: unknown[]): StreamParts;
}
interface StreamParts {
  readonly state: StreamState;
  /** The whole window, bytes. */
  readonly recvWindow: number;
  /** What may come until the window is widened again, bytes. */
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

/**
 * Yamux that widens a stream's window when half of it is used, as the protocol's
 * first implementation does.
 *
 * The library does so after each frame that comes, so that every message is
 * answered by one more: to be sealed, sent, read and opened.
 */
export function quietYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  return () => {
    const factory: StreamMuxerFactory = yamux(init)();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => quiet(create(connection));
    return factory;
  };
}

function quiet(muxer: StreamMuxer): StreamMuxer {
  const parts = muxer as unknown as MuxerParts;
  const newStream = parts._newStream.bind(parts);
  parts._newStream = (...args) => {
    const stream = newStream(...args);
    const sendWindowUpdate = stream.sendWindowUpdate.bind(stream);
    stream.sendWindowUpdate = () => {
      const { state, recvWindow, recvWindowCapacity } = stream;
      const enough = 2 * recvWindowCapacity > recvWindow;
      // Until a stream is established its flags have to be sent.
      if (state !== StreamState.Established || !enough) sendWindowUpdate();
    };
    return stream;
  };
  return muxer;
}
