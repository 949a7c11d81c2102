// deno-lint-ignore-file no-console
// A node in a process of its own. It is told what to be by its argument and
// what to do on stdin, and answers on stdout, one line of JSON each.
import process from "node:process";
import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import { createNode, type Found, ownerMarker } from "../../../mod.ts";
import { TextLineStream } from "../dht/lines.ts";
import {
  type NodeSettings,
  type Order,
  type Reply,
  type Sample,
  type Status,
  valueOf,
} from "./orders.ts";

/** How long records live, s. */
const LIFE = 3_600;
/** What is under way at once while records are stored. */
const AT_ONCE = 8;
const TRIES = 5;
/** Gets slower than this tell their calls, ms. */
const SLOW = 100;

const settings = JSON.parse(Deno.args[0] ?? "") as NodeSettings;
const node = await createNode({
  listen: [`/ip4/${settings.address}/tcp/0`],
  bootstrap: settings.bootstrap,
});
const { dht, identity } = node;
const subkey = ownerMarker(identity.openSsh);

function status(): Status {
  const { network, records } = node.status();
  const { user, system } = process.cpuUsage();
  return {
    peerId: node.peerId,
    addresses: node.addresses(),
    network,
    members: node.members().length,
    records,
    rss: Deno.memoryUsage().rss,
    cpu: (user + system) / 1_000,
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
    );
    if (replicas.every(({ outcome }) => outcome === "stored")) return true;
  }
  return false;
}

async function read(
  { keys, duration, pause, seed }: Extract<Order, { do: "read" }>,
): Promise<Sample[]> {
  const random = new SeededRandom(seed);
  const samples: Sample[] = [];
  const end = Date.now() + duration;
  while (Date.now() < end) {
    samples.push(await readOne(random.pick(keys)));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return samples;
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
    start,
    milliseconds,
    found: found?.kind === "dictionary" &&
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
    case "status":
      return status();
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
