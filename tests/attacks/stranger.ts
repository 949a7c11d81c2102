import { noise } from "@chainsafe/libp2p-noise";
import { privateKeyFromProtobuf } from "@libp2p/crypto/keys";
import type {
  ComponentLogger,
  MultiaddrConnection,
  Upgrader,
} from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { generateIdentity } from "../../mod.ts";

/** A logger that says nothing. */
const silent: ComponentLogger = {
  forComponent() {
    const log = Object.assign(() => {}, {
      enabled: false,
      error: () => {},
      trace: () => {},
      newScope: () => log,
    });
    return log;
  },
};

const transport = tcp()({ logger: silent } as never);
/** Nothing is sent after the handshake. */
const MUXERS = new Map([["/yamux/1.0.0", { protocol: "/yamux/1.0.0" }]]);
const ascii = new TextEncoder();

/** One line of the protocol negotiation. */
const line = (text: string) =>
  Uint8Array.of(text.length + 1, ...ascii.encode(`${text}\n`));
const NEGOTIATION = ["/multistream/1.0.0", "/noise"].map(line);

/** Asks for Noise; fails when the other side hangs up instead. */
async function negotiate(
  connection: MultiaddrConnection,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let missing = NEGOTIATION.reduce((sum, { length }) => sum + length, 0);
  const take = ({ data }: { data: { readonly byteLength: number } }) => {
    missing -= data.byteLength;
    if (missing <= 0) resolve();
  };
  const fail = () => reject(new Error("It hung up."));
  connection.addEventListener("message", take);
  connection.addEventListener("close", fail, { once: true });
  signal.addEventListener("abort", fail, { once: true });
  try {
    for (const each of NEGOTIATION) connection.send(each);
    await promise;
  } finally {
    connection.removeEventListener("message", take);
    connection.removeEventListener("close", fail);
  }
}

/**
 * Knocks at an address with a key that nobody saw before, as far as the node
 * lets it come: through the whole Noise handshake, or not even there.
 */
export async function knock(address: string): Promise<"shaken" | "refused"> {
  const signal = AbortSignal.timeout(5_000);
  const privateKey = privateKeyFromProtobuf(generateIdentity().marshalled);
  const encrypter = noise()({
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    logger: silent,
    upgrader: { getStreamMuxers: () => MUXERS },
  } as never);
  let connection: MultiaddrConnection | undefined;
  try {
    const upgrader = {
      upgradeOutbound: async (opened: MultiaddrConnection) => {
        connection = opened;
        await negotiate(opened, signal);
        await encrypter.secureOutbound(opened, { signal });
      },
    } as unknown as Upgrader;
    await transport.dial(multiaddr(address), { upgrader, signal } as never);
    return "shaken";
  } catch {
    return "refused";
  } finally {
    connection?.abort(new Error("The stranger leaves."));
  }
}
