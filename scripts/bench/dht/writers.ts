import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import { TextLineStream } from "./lines.ts";
import { deviation, mean } from "./statistics.ts";
import type { Done, Order } from "./writer_peer.ts";

/** As the Mesh Template's benchmark has them. */
export interface WriterSettings {
  readonly peers: number;
  readonly initialPeers: number;
  readonly seed: number;
  readonly rounds: number;
  readonly storePeers: number;
  readonly getPeers: number;
  /** Seconds. */
  readonly pause: number;
  readonly delay: number;
  readonly timeout: number;
  readonly expiration: number;
  readonly latest: boolean;
  readonly failureRate: number;
}

/** Wall time of a round, ms. */
export interface RoundTime {
  readonly mean: number;
  readonly deviation: number;
  readonly max: number;
}

/** What was measured. */
export interface WritersResult {
  readonly settings: WriterSettings;
  readonly store: RoundTime;
  readonly get: RoundTime;
  readonly storeSuccess: number;
  /** The share of gets that gave every stored value. */
  readonly getSuccess: number;
  readonly peers: number;
  readonly alive: number;
  /** The share of all values stored in all rounds that the last node reads. */
  readonly survival: number;
  readonly seconds: number;
}

/** Time for the processes to find each other, ms. */
const MEETING = 15_000;

/** A node's process. */
class Peer {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  alive = true;
  /** Multiaddrs. */
  addresses: string[] = [];

  constructor(bootstrap: readonly string[]) {
    const script = new URL("writer_peer.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", script, ...bootstrap],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#orders = this.#child.stdin.getWriter();
  }

  async started(): Promise<void> {
    this.addresses = JSON.parse(await this.#line()) as string[];
  }

  async obey(order: Order): Promise<Done> {
    const line = JSON.stringify(order) + "\n";
    try {
      await this.#orders.write(new TextEncoder().encode(line));
      return JSON.parse(await this.#line()) as Done;
    } catch {
      return { ok: false, milliseconds: 0, values: [] };
    }
  }

  async kill(): Promise<void> {
    this.alive = false;
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.cancel().catch(() => {});
    await this.#orders.abort().catch(() => {});
  }

  async #line(): Promise<string> {
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("A node's process ended.");
    return value;
  }
}

/** Many writers under one key in each round, read by many, while processes are killed. */
export async function measureWriters(
  settings: WriterSettings,
  say: (text: string) => void,
): Promise<WritersResult> {
  const random = new SeededRandom(settings.seed);
  const peers: Peer[] = [];
  say(`${settings.peers} processes start`);
  try {
    while (peers.length < settings.peers) {
      const bootstrap = peers.slice(0, settings.initialPeers)
        .flatMap(({ addresses }) => addresses);
      const peer = new Peer(bootstrap);
      peers.push(peer);
      await peer.started();
    }
    await pause(MEETING);
    return await new Rounds(settings, random, peers, say).run();
  } finally {
    await Promise.all(
      peers.filter(({ alive }) => alive).map((peer) => peer.kill()),
    );
  }
}

class Rounds {
  readonly #settings: WriterSettings;
  readonly #random: SeededRandom;
  readonly #peers: readonly Peer[];
  readonly #say: (text: string) => void;
  /** What was stored under each key. */
  readonly #stored = new Map<string, string[]>();
  #asked = 0;
  #accepted = 0;

  constructor(
    settings: WriterSettings,
    random: SeededRandom,
    peers: readonly Peer[],
    say: (text: string) => void,
  ) {
    this.#settings = settings;
    this.#random = random;
    this.#peers = peers;
    this.#say = say;
  }

  async run(): Promise<WritersResult> {
    const { rounds, peers, failureRate, delay } = this.#settings;
    const start = performance.now();
    const [stores, gets]: [number[], number[]] = [[], []];
    const [read, whole]: [number[], number[]] = [[], []];
    // Processes die at rounds chosen by chance, before a store or a get.
    const doomed = this.#random.sample(
      this.#peers,
      Math.floor(failureRate * peers),
    );
    const deaths = doomed.map(() => this.#random.below(2 * rounds));
    for (let round = 0; round < rounds; round++) {
      await this.#kill(doomed.filter((_, i) => deaths[i] === 2 * round));
      stores.push(await this.#storeAll(`round ${round}`));
      await pause(1000 * delay);
      await this.#kill(doomed.filter((_, i) => deaths[i] === 2 * round + 1));
      const got = await this.#getAll(`round ${round}`);
      gets.push(got.milliseconds);
      read.push(got.asked);
      whole.push(got.whole);
      this.#say(`round ${round + 1} of ${rounds}`);
      await pause(1000 * this.#settings.pause);
    }
    return {
      settings: this.#settings,
      store: roundTime(stores),
      get: roundTime(gets),
      storeSuccess: this.#accepted / this.#asked,
      getSuccess: sum(whole) / sum(read),
      peers,
      alive: this.#alive().length,
      survival: await this.#survival(),
      seconds: (performance.now() - start) / 1000,
    };
  }

  async #storeAll(key: string): Promise<number> {
    const { storePeers, expiration, timeout } = this.#settings;
    const writers = this.#random.sample(this.#alive(), storePeers);
    const start = performance.now();
    const kept = await Promise.all(writers.map(async (peer) => {
      const value = this.#random.bytes(16).toHex();
      const { ok } = await peer.obey({
        do: "store",
        key,
        value,
        expiration: Date.now() / 1000 + expiration,
        timeout: 1000 * timeout,
      });
      return ok ? [value] : [];
    }));
    const took = performance.now() - start;
    this.#asked += writers.length;
    this.#accepted += kept.flat().length;
    this.#stored.set(key, kept.flat());
    return took;
  }

  async #getAll(key: string) {
    const readers = this.#random.sample(
      this.#alive(),
      this.#settings.getPeers,
    );
    const start = performance.now();
    const missing = await Promise.all(
      readers.map((peer) => this.#missing(peer, key)),
    );
    return {
      milliseconds: performance.now() - start,
      asked: readers.length,
      whole: missing.filter((count) => count === 0).length,
    };
  }

  /** How many of a key's values a process does not read. */
  async #missing(peer: Peer, key: string): Promise<number> {
    const { latest, timeout } = this.#settings;
    const { values } = await peer.obey({
      do: "get",
      key,
      latest,
      timeout: 1000 * timeout,
    });
    const stored = this.#stored.get(key) ?? [];
    return stored.filter((value) => !values.includes(value)).length;
  }

  async #survival(): Promise<number> {
    const reader = this.#random.pick(this.#alive());
    let [all, missing] = [0, 0];
    for (const [key, values] of this.#stored) {
      all += values.length;
      missing += await this.#missing(reader, key);
    }
    return all === 0 ? 0 : (all - missing) / all;
  }

  async #kill(peers: readonly Peer[]): Promise<void> {
    await Promise.all(peers.map((peer) => peer.kill()));
  }

  #alive(): Peer[] {
    return this.#peers.filter(({ alive }) => alive);
  }
}

function roundTime(times: readonly number[]): RoundTime {
  return {
    mean: mean(times),
    deviation: deviation(times),
    max: Math.max(...times),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
