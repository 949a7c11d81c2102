// deno-lint-ignore-file no-console
// Calls of 1 KiB between two processes over TCP on loopback, on a kept stream:
// signed in both directions by peers whose stake is checked, against the same
// calls without signatures, and libp2p's ping.
import { noise } from "@chainsafe/libp2p-noise";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { identityFromSeed, LocalChain, toHex } from "../../../mod.ts";
import { facts, warnIfLoaded } from "../dht/facts.ts";
import { type Latency, latency, median } from "../dht/statistics.ts";
import { short, table } from "../dht/table.ts";
import { argumentsOf, told } from "../usage.ts";
import { ECHO, startPeer } from "./peer.ts";

const [ROUNDS, CALLS, IN_FLIGHT] = [5, 2_000, 16];
const SEEDS = [1, 2].map((n) => new Uint8Array(32).fill(n));

interface Result extends Latency {
  /** Per second with {@linkcode IN_FLIGHT} calls under way. */
  readonly rate: number;
}

function account(n: number): string {
  return `0x${n.toString(16).padStart(40, "0")}`;
}

/** The first round warms up and is not counted. */
async function measure(act: () => Promise<unknown>): Promise<Result> {
  const times: number[][] = [];
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const one: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const start = performance.now();
      await act();
      one.push(performance.now() - start);
    }
    const queue = Array.from({ length: 2 * CALLS }).keys();
    const start = performance.now();
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      for (const _ of queue) await act();
    }));
    const rate = 2_000 * CALLS / (performance.now() - start);
    if (round < 0) continue;
    times.push(one);
    rates.push(rate);
  }
  return { ...latency(times), rate: median(rates) };
}

async function calls(chain: string | undefined): Promise<Result> {
  const [near, far] = SEEDS.map(identityFromSeed);
  if (near === undefined || far === undefined) throw new Error("No seeds.");
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "-q", new URL("server.ts", import.meta.url).pathname],
      ...[toHex(SEEDS[1] as Uint8Array), ...chain === undefined ? [] : [chain]],
    ],
    stdout: "piped",
  }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const address = (await lines.read()).value?.trim() ?? "";
  const { host, rpc } = await startPeer(near, chain, [address]);
  try {
    const body = crypto.getRandomValues(new Uint8Array(1024));
    return await measure(async () => {
      const answer = await rpc.call(far.peerId, ECHO, body);
      if (answer.length !== body.length) throw new Error("No echo.");
    });
  } finally {
    await rpc.stop();
    await host.stop();
    server.kill("SIGKILL");
    await server.status;
    await lines.cancel();
  }
}

async function pings(): Promise<Result> {
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
  try {
    const times: number[][] = [];
    for (let round = 0; round < 2; round++) {
      const one: number[] = [];
      for (let i = 0; i < CALLS; i++) {
        const start = performance.now();
        await near.services.ping.ping(address);
        one.push(performance.now() - start);
      }
      times.push(one);
    }
    return { ...latency(times.slice(1)), rate: NaN };
  } finally {
    await Promise.all([near.stop(), far.stop()]);
  }
}

const HELP = `deno task bench [FILE]

  FILE   where all numbers go, too, as JSON`;
const [json] = told(HELP, (args) => argumentsOf(args, 1));
const start = facts();
warnIfLoaded(start.load, (text) => console.error(text));
const folder = await Deno.makeTempDir();
const chain = `${folder}/chain.db`;
const maker = LocalChain.create(chain, { blockMilliseconds: 60_000 });
SEEDS.forEach((seed, i) =>
  maker.register({
    hotkey: account(i + 1),
    coldkey: account(i + 101),
    peerId: identityFromSeed(seed).peerId,
    nodeClass: "validator",
  })
);
const plain = await calls(undefined);
const signed = await calls(chain);
const theirs = await pings();
const rows = [
  ["call, not signed", plain],
  ["call, signed, stake checked", signed],
  ["libp2p ping of 32 bytes, new streams", theirs],
] as const;
console.log(table([
  ["1 KiB", "p50, ms", "p99, ms", `calls/s, ${IN_FLIGHT} in flight`, "× p50"],
  ...rows.map(([name, { p50, p99, rate }]) => [
    name,
    p50.toFixed(3),
    p99.toFixed(3),
    short(rate),
    short(p50 / plain.p50),
  ]),
]));
if (json !== undefined) {
  const report = { start, plain, signed, ping: theirs };
  await Deno.writeTextFile(json, `${JSON.stringify(report, null, 2)}\n`);
}
await maker.close();
await Deno.remove(folder, { recursive: true });
Deno.exit(0);
