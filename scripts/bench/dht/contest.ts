import process from "node:process";
import { latency, median } from "./statistics.ts";
import type {
  Contestant,
  ContestResult,
  ContestSettings,
  Cost,
  Swarm,
} from "./swarm.ts";
import { Meter } from "./wire.ts";

const IN_FLIGHT = 16;
const MIB = 1024 * 1024;

/** Measures one swarm: all contestants go through the same here. */
export class Contest {
  readonly #swarm: Swarm;
  readonly #settings: ContestSettings;
  readonly #say: (text: string) => void;
  readonly #values: Uint8Array[] = [];
  /** Records whose put failed. */
  readonly #failed = new Set<number>();
  #stored = 0;
  #wrong = 0;
  #read = 0;

  /** `say` is told of the progress. */
  constructor(
    swarm: Swarm,
    settings: ContestSettings,
    say: (text: string) => void,
  ) {
    this.#swarm = swarm;
    this.#settings = settings;
    this.#say = say;
  }

  /** Everything, in one order. */
  async run(name: Contestant, runtime: string): Promise<ContestResult> {
    const { nodes, rounds, operations, parallel, limit } = this.#settings;
    const alone = await this.#memoryOf(1);
    const start = performance.now();
    await this.#swarm.grow(nodes);
    await this.#readEverywhere();
    const routable = performance.now() - start;
    this.#say(`${nodes} nodes are routable after ${routable.toFixed(0)} ms`);
    const full = await this.#memoryOf(nodes);
    const puts: number[][] = [];
    const gets: number[][] = [];
    const putRates: number[] = [];
    const getRates: number[] = [];
    const putCosts: Cost[] = [];
    const getCosts: Cost[] = [];
    // The first round warms up and is not counted.
    for (let round = -1; round < rounds; round++) {
      const counted = round >= 0;
      const late = performance.now() - start > 1000 * limit;
      if (late && puts.length > 0) break;
      const one = await this.#one(operations);
      const many = await this.#many(parallel);
      if (!counted) continue;
      puts.push(one.puts);
      gets.push(one.gets);
      putCosts.push(one.putCost);
      getCosts.push(one.getCost);
      putRates.push(many.putRate);
      getRates.push(many.getRate);
      this.#say(`round ${round + 1} of ${rounds}`);
    }
    return {
      name,
      runtime,
      settings: this.#settings,
      rounds: puts.length,
      routable,
      memoryPerNode: (full - alone) / (nodes - 1) / MIB,
      put: latency(puts),
      get: latency(gets),
      putRate: median(putRates),
      getRate: median(getRates),
      putCost: middle(putCosts),
      getCost: middle(getCosts),
      stored: this.#stored / (this.#stored + this.#failed.size),
      correct: 1 - this.#wrong / this.#read,
    };
  }

  async #memoryOf(nodes: number): Promise<number> {
    await this.#swarm.grow(nodes);
    const { gc } = globalThis as { gc?: () => void };
    for (let i = 0; i < 5; i++) {
      gc?.();
      await pause(100);
    }
    return process.memoryUsage().rss;
  }

  /** A record that the first node stores is read at all others. */
  async #readEverywhere(): Promise<void> {
    const [record] = this.#records(1) as [number];
    await this.#swarm.put(0, record, this.#values[record] as Uint8Array);
    for (let node = 1; node < this.#settings.nodes; node++) {
      while (await this.#swarm.get(node, record) === undefined) await pause(5);
    }
  }

  /** One at a time, each from another node. */
  async #one(count: number) {
    const records = this.#records(count);
    const meter = new Meter();
    const puts = await this.#timed(records, (record) => this.#put(record));
    const putCost = meter.per(puts.length);
    meter.reset();
    const stored = this.#kept(records.slice(0, puts.length));
    const gets = await this.#timed(stored, (record) => this.#get(record));
    return { puts, gets, putCost, getCost: meter.per(gets.length) };
  }

  async #timed(
    records: readonly number[],
    act: (record: number) => Promise<void>,
  ): Promise<number[]> {
    const times: number[] = [];
    const until = performance.now() + 1000 * this.#settings.phase;
    for (const record of records) {
      const start = performance.now();
      if (start > until) break;
      await act(record);
      times.push(performance.now() - start);
    }
    return times;
  }

  /** Many at once, as often as the swarm can. */
  async #many(count: number) {
    const records = this.#records(count);
    const put = await this.#rate(records, (record) => this.#put(record));
    const stored = this.#kept(records.slice(0, put.done));
    const get = await this.#rate(stored, (record) => this.#get(record));
    return { putRate: put.rate, getRate: get.rate };
  }

  async #rate(
    records: readonly number[],
    act: (record: number) => Promise<void>,
  ): Promise<{ readonly done: number; readonly rate: number }> {
    const queue = records.values();
    const start = performance.now();
    const until = start + 1000 * this.#settings.phase;
    let done = 0;
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      while (performance.now() <= until) {
        const { value } = queue.next();
        if (value === undefined) return;
        await act(value);
        done++;
      }
    }));
    return { done, rate: 1000 * done / (performance.now() - start) };
  }

  #records(count: number): number[] {
    return Array.from({ length: count }, () => {
      const record = this.#values.length;
      const value = new Uint8Array(this.#settings.valueBytes);
      this.#values.push(crypto.getRandomValues(value));
      this.#swarm.prepare(record);
      return record;
    });
  }

  async #put(record: number): Promise<void> {
    const node = record % this.#settings.nodes;
    const value = this.#values[record] as Uint8Array;
    try {
      await this.#swarm.put(node, record, value);
      this.#stored++;
    } catch (error) {
      if (this.#failed.size === 0) this.#say(`a put failed: ${error}`);
      this.#failed.add(record);
    }
  }

  #kept(records: readonly number[]): number[] {
    return records.filter((record) => !this.#failed.has(record));
  }

  /** At a node other than the one that stored it. */
  async #get(record: number): Promise<void> {
    const { nodes } = this.#settings;
    const node = (record + 1 + record % (nodes - 1)) % nodes;
    const found = await this.#swarm.get(node, record);
    const value = this.#values[record] as Uint8Array;
    this.#read++;
    const same = found?.length === value.length &&
      value.every((byte, i) => byte === found[i]);
    if (!same) this.#wrong++;
  }
}

function middle(costs: readonly Cost[]): Cost {
  return {
    bytes: median(costs.map(({ bytes }) => bytes)),
    packets: median(costs.map(({ packets }) => packets)),
    cpu: median(costs.map((each) => each.cpu)),
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
