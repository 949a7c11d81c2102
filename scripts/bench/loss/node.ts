// deno-lint-ignore-file no-console
// A node in a process of its own. It is told what to be by its argument and
// what to do on stdin, and answers on stdout, one line of JSON each.
import process from "node:process";
import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import {
  createNode,
  type Found,
  identityFromSeed,
  LocalChain,
  MetricsRegistry,
  ownerMarker,
} from "../../../mod.ts";
import { TextLineStream } from "../dht/lines.ts";
import { sleep } from "./mesh.ts";
import {
  type NodeSettings,
  type Order,
  type Reply,
  type Sample,
  type Status,
  valueOf,
} from "./orders.ts";

/** How long records live, s. */
const LIFE = 600;
/** What is under way at once while records are stored. */
const AT_ONCE = 2;
const TRIES = 12;
/** Gets slower than this tell their calls, ms. */
const SLOW = 100;

const settings = JSON.parse(Deno.args[0] ?? "") as NodeSettings;
const { seed, chain, perNetwork } = settings;
const metrics = new MetricsRegistry();
const node = await createNode({
  listen: [`/ip4/${settings.address}/tcp/0`],
  bootstrap: settings.bootstrap,
  metrics,
  ...(perNetwork === undefined ? {} : { limits: { perNetwork } }),
  ...(seed === undefined
    ? {}
    : { identity: identityFromSeed(Uint8Array.fromHex(seed)) }),
  ...(chain === undefined ? {} : {
    chain: { chain: LocalChain.open(chain) },
    subnet: { rules: "any" },
  }),
});
const { dht, identity } = node;
const subkey = ownerMarker(identity.openSsh);

const collect = (globalThis as { readonly gc?: () => void }).gc;

function status(collected = false): Status {
  const { network, records } = node.status();
  const { user, system } = process.cpuUsage();
  if (collected) collect?.();
  const { rss, heapUsed, external } = Deno.memoryUsage();
  const counts: Record<string, number> = {};
  for (const { name, labels, value } of metrics.samples()) {
    if (!name.endsWith("_total")) continue;
    counts[[name, ...Object.values(labels)].join(" ")] = value;
  }
  return {
    peerId: node.peerId,
    addresses: node.addresses(),
    network,
    members: node.members().length,
    records,
    rss,
    ...(collected ? { used: heapUsed + external } : {}),
    cpu: (user + system) / 1_000,
    counts,
  };
}

async function fill(keys: readonly string[]): Promise<number> {
  let stored = 0;
  const queue = keys.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const key of queue) {
      if (await store(key)) stored++;
    }
  }));
  return stored;
}

/** Stores until every replica has it: right after the start some are too busy. */
async function store(key: string): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    const expiration = Date.now() / 1_000 + LIFE;
    const { replicas } = await dht.store(
      { key, subkey, value: valueOf(key), expiration },
      { awaitAll: true },
    ).catch(() => ({ replicas: [] }));
    const copies = replicas.filter(({ outcome }) => outcome === "stored");
    if (replicas.length > 0 && copies.length === replicas.length) return true;
    await sleep(500);
  }
  return false;
}

async function read(
  { keys, duration, pause, seed, puts }: Extract<Order, { do: "read" }>,
): Promise<Sample[]> {
  const random = new SeededRandom(seed);
  const samples: Sample[] = [];
  const end = Date.now() + duration;
  while (Date.now() < end) {
    samples.push(await readOne(random.pick(keys)));
    if (puts) samples.push(await writeOne(`own ${random.below(10)}`));
    await sleep(pause);
  }
  return samples;
}

async function writeOne(key: string): Promise<Sample> {
  const start = Date.now();
  const before = performance.now();
  const expiration = start / 1_000 + LIFE;
  const succeeded = await dht.store(
    { key, subkey, value: valueOf(key), expiration },
  ).then(() => true, () => false);
  const milliseconds = performance.now() - before;
  return { act: "put", start, milliseconds, succeeded };
}

async function readOne(key: string): Promise<Sample> {
  const start = Date.now();
  const before = performance.now();
  const calls: string[] = [];
  let found: Found | undefined;
  try {
    found = await dht.get(key, {
      onCall: ({ peerId, milliseconds, outcome }) =>
        calls.push(`${peerId.slice(-6)} ${milliseconds.toFixed(0)} ${outcome}`),
    });
  } catch {
    // It was not found.
  }
  const milliseconds = performance.now() - before;
  return {
    act: "get",
    start,
    milliseconds,
    succeeded: found?.kind === "dictionary" &&
      found.entries.some(({ value }) => value === valueOf(key)),
    ...(milliseconds > SLOW ? { calls } : {}),
  };
}

function obey(order: Order) {
  switch (order.do) {
    case "fill":
      return fill(order.keys);
    case "replicas":
      return order.keys.map((key) => dht.replicasOf(key));
    case "read":
      return read(order);
    case "readAll":
      return Promise.all(order.keys.map(readOne));
    case "status":
      return status(order.collect);
  }
}

async function reply(id: number, order: Order): Promise<void> {
  let told: Reply;
  try {
    told = { id, answer: await obey(order) };
  } catch (error) {
    told = { id, error: String(error) };
  }
  console.log(JSON.stringify(told));
}

console.log(JSON.stringify(status()));
for await (
  const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
) {
  const { id, order } = JSON.parse(line) as { id: number; order: Order };
  reply(id, order);
}
// Whoever gave the orders is gone.
Deno.exit(0);
