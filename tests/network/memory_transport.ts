import { MeshError } from "../../mod.ts";
import type { Duplex, Transport } from "../../src/network/mod.ts";

/** Bytes a pipe holds before its writer must wait. */
const CAPACITY = 64 * 1024;

/** One direction of a stream, with a bounded buffer. */
class Pipe {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #changed = Promise.withResolvers<void>();

  /** Bytes that were written and not read. */
  get buffered(): number {
    return this.#bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Odd portions, as networks have them.
    for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 3) {
      while (this.#bytes >= CAPACITY && !this.#failure) {
        await this.#changed.promise;
      }
      if (this.#failure) throw this.#failure;
      if (this.#ended) throw new Error("The stream is closed.");
      const part = bytes.slice(at, at + size);
      this.#chunks.push(part);
      this.#bytes += part.length;
      this.#change();
    }
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  fail(reason: Error): void {
    this.#failure ??= reason;
    this.#change();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.#change();
        yield chunk;
      } else if (this.#ended) return;
      else await this.#changed.promise;
    }
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** A stream's end, for tests that speak bytes themselves. */
export interface RawDuplex extends Duplex {
  /** Bytes written to the other end and not read there. */
  buffered(): number;
}

function end(remotePeer: string, incoming: Pipe, outgoing: Pipe): RawDuplex {
  return {
    remotePeer,
    buffered: () => outgoing.buffered,
    write: (bytes) => outgoing.write(bytes),
    close: () => Promise.resolve(outgoing.end()),
    abort: (reason) => {
      incoming.fail(reason);
      outgoing.fail(reason);
    },
    [Symbol.asyncIterator]: () => incoming.read(),
  };
}

/** Connects peers of one process, with back-pressure and portions of odd sizes. */
export class MemoryNetwork {
  readonly #handlers = new Map<string, (stream: Duplex) => void>();
  /** Both ends of every stream opened, oldest first. */
  readonly streams: { near: RawDuplex; far: RawDuplex }[] = [];
  /** Peers that cannot be reached. */
  readonly dead = new Set<string>();

  /** A peer's streams. */
  transport(peerId: string): Transport {
    return {
      peerId,
      accept: (handler) => this.#handlers.set(peerId, handler),
      open: (to) => {
        const handler = this.#handlers.get(to);
        if (handler === undefined || this.dead.has(to)) {
          const error = new MeshError("PEER_UNREACHABLE", "nobody there");
          return Promise.reject(error);
        }
        const there = new Pipe();
        const back = new Pipe();
        const near = end(to, back, there);
        const far = end(peerId, there, back);
        this.streams.push({ near, far });
        handler(far);
        return Promise.resolve(near);
      },
    };
  }
}
