import { noise } from "@chainsafe/libp2p-noise";
import type { Libp2p } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { concat } from "../../mod.ts";
import { quietNoise } from "../../src/network/quiet_noise.ts";
import { assert, assertEquals } from "../assert.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };
const PROTOCOL = "/echo/1.0.0";

function start(encrypter: ReturnType<typeof noise>): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
}

/** How often the length of a message that is not there is read meanwhile. */
async function rangeErrors(act: () => Promise<void>): Promise<number> {
  const original = globalThis.RangeError;
  let count = 0;
  globalThis.RangeError = new Proxy(original, {
    apply(target, self, args) {
      // Others are made where streams begin.
      if (String(args[0]).includes("int16BE")) count++;
      return Reflect.apply(target, self, args);
    },
  });
  try {
    await act();
  } finally {
    globalThis.RangeError = original;
  }
  return count;
}

/** Sends messages of many lengths, and gives back what comes for them. */
async function exchange(from: Libp2p, to: Libp2p): Promise<void> {
  await to.unhandle(PROTOCOL);
  await to.handle(PROTOCOL, (stream) => {
    stream.addEventListener("message", ({ data }) => stream.send(data));
    stream.addEventListener("remoteCloseWrite", () => void stream.close());
  });
  const stream = await from.dialProtocol(to.getMultiaddrs(), PROTOCOL);
  const sent = [1, 2, 15, 16, 300, 65_518, 65_519, 65_535, 70_000, 200_000]
    .map((length, i) => new Uint8Array(length).fill(i + 1));
  const whole = concat(...sent);
  const back: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let length = 0;
  stream.addEventListener("message", ({ data }) => {
    back.push(data.subarray().slice());
    length += data.byteLength;
    if (length >= whole.length) resolve();
  });
  for (const bytes of sent) {
    if (!stream.send(bytes)) await stream.onDrain();
  }
  await promise;
  assertEquals(concat(...back), whole);
  await stream.close();
}

Deno.test(
  "messages of any length arrive whole, also with a peer whose Noise is the library's",
  libp2p,
  async () => {
    const peers = await Promise.all([
      start(quietNoise()),
      start(quietNoise()),
      start(noise()),
    ]);
    const [quiet, other, plain] = peers as [Libp2p, Libp2p, Libp2p];
    try {
      await exchange(quiet, other);
      await exchange(quiet, plain);
      await exchange(plain, other);
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()));
    }
  },
);

Deno.test("a message that comes makes no error", libp2p, async () => {
  const count = async (encrypter: () => ReturnType<typeof noise>) => {
    const [a, b] = await Promise.all([start(encrypter()), start(encrypter())]);
    try {
      // The handshake makes some.
      await exchange(a, b);
      return await rangeErrors(() => exchange(a, b));
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
  };
  assert(await count(noise) > 0, "the library does without them by itself");
  assertEquals(await count(quietNoise), 0);
});
