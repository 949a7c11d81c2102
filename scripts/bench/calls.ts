// deno-lint-ignore-file no-console
// Calls between two nodes over TCP on loopback, signed and checked in both
// directions, against libp2p's ping, which signs nothing, in the same run.
import { noise } from "@chainsafe/libp2p-noise";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { createNode } from "../../mod.ts";

const ROUNDS = 2_000;
const WARM_UP = 200;

async function measure(act: () => Promise<unknown>) {
  const times: number[] = [];
  for (let i = -WARM_UP; i < ROUNDS; i++) {
    const start = performance.now();
    await act();
    if (i >= 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(part * ROUNDS)] as number;
  return { p50: at(0.5), p99: at(0.99) };
}

const peer = () =>
  createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { ping: ping() },
  });

const [near, far] = [await peer(), await peer()];
const [address] = far.getMultiaddrs();
if (address === undefined) throw new Error("The peer does not listen.");
const theirs = await measure(() => near.services.ping.ping(address));

// No peer may ask as much as is measured here.
const limits = { calls: "none" } as const;
const server = await createNode({ limits });
const client = await createNode({ limits, bootstrap: server.addresses() });
while (client.members().length === 0) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const call = await measure(() => client.dht.ping(server.peerId));
let stored = 0;
const store = await measure(() =>
  client.dht.store({
    key: `key-${++stored}`,
    value: "x".repeat(128),
    expiration: Date.now() / 1_000 + 60,
  })
);

console.log(`${ROUNDS} rounds each, milliseconds\n`);
console.log("                        p50      p99    ratio of p50");
for (
  const [name, { p50, p99 }] of [
    ["libp2p ping, unsigned", theirs],
    ["call, signed", call],
    ["store of 128 bytes", store],
  ] as const
) {
  console.log(
    `${name.padEnd(22)} ${p50.toFixed(3)}   ${p99.toFixed(3).padStart(6)}    ${
      (p50 / theirs.p50).toFixed(2)
    }`,
  );
}
await Promise.all([client.stop(), server.stop(), near.stop(), far.stop()]);
Deno.exit(0);
