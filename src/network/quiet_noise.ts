import { noise } from "@chainsafe/libp2p-noise";
import type { MessageStream } from "@libp2p/interface";

type Noise = ReturnType<typeof noise>;
type Bytes = { readonly byteLength: number };

// What the library's objects offer beyond their declared interfaces.
interface SealedStream extends MessageStream {
  readonly decoder?: {
    /** Reads the length of the next message; throws while it is not there. */
    lengthDecoder?: (bytes: Bytes) => number;
  };
}

/** The longest message there can be: what is there is always shorter. */
const NOT_WHOLE = 0xffff;

/**
 * Noise that makes no error of every message.
 *
 * The library looks for one more message after each, and learns from an error
 * with its stack that there is none: a twentieth of what a call costs.
 */
export function quietNoise(): Noise {
  return (components) => {
    const encrypter = noise()(components);
    const secureInbound = encrypter.secureInbound.bind(encrypter);
    const secureOutbound = encrypter.secureOutbound.bind(encrypter);
    encrypter.secureInbound = async (connection, options) =>
      quiet(await secureInbound(connection, options));
    encrypter.secureOutbound = async (connection, options) =>
      quiet(await secureOutbound(connection, options));
    return encrypter;
  };
}

function quiet<T extends { readonly connection: MessageStream }>(made: T): T {
  const { decoder } = made.connection as SealedStream;
  const lengthOf = decoder?.lengthDecoder;
  if (decoder === undefined || lengthOf === undefined) return made;
  decoder.lengthDecoder = (bytes) =>
    bytes.byteLength < 2 ? NOT_WHOLE : lengthOf(bytes);
  return made;
}
