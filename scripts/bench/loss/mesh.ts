import type { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import type { Lan, Place } from "./lan.ts";
import { NodeProcess } from "./node_process.ts";
import type { NodeSettings } from "./orders.ts";

/** Processes that start at once. */
const STARTERS = 4;
/** How long all may take to find each other, ms. */
const MEETING = 120_000;
const TICK = 200;

/** Real nodes, each in a process and at a place of its own. */
export class Mesh {
  readonly #lan: Lan;
  #nodes: NodeProcess[] = [];

  private constructor(lan: Lan) {
    this.#lan = lan;
  }

  /** Starts nodes, and waits until each is connected with all others. */
  static async start(
    lan: Lan,
    count: number,
    settingsOf: (n: number) => Partial<NodeSettings>,
  ): Promise<Mesh> {
    const mesh = new Mesh(lan);
    const started: NodeProcess[] = [];
    const start = async (n: number, place: Place, bootstrap: string[]) => {
      const settings = { bootstrap, ...settingsOf(n) };
      const node = await NodeProcess.start(place, settings);
      // In the order of their numbers, whoever is ready first.
      started[n] = node;
      mesh.#nodes = started.filter((each) => each !== undefined);
      return node;
    };
    try {
      const first = await start(0, await lan.place(), []);
      const places: Place[] = [];
      while (places.length < count - 1) places.push(await lan.place());
      const queue = places.entries();
      await Promise.all(Array.from({ length: STARTERS }, async () => {
        for (const [i, place] of queue) {
          await start(i + 1, place, [...first.addresses]);
        }
      }));
      await mesh.met();
      return mesh;
    } catch (error) {
      await mesh.stop();
      throw error;
    }
  }

  /** Starts nodes whose keys are drawn. */
  static seeded(lan: Lan, count: number, random: SeededRandom): Promise<Mesh> {
    const seeds = Array.from({ length: count }, () => random.bytes(32).toHex());
    return Mesh.start(lan, count, (n) => ({ seed: seeds[n] as string }));
  }

  /** Those that live. */
  get nodes(): readonly NodeProcess[] {
    return this.#nodes;
  }

  /** Waits until each is connected with all others. */
  async met(): Promise<void> {
    const limit = Date.now() + MEETING;
    for (;;) {
      const all = await Promise.all(
        this.#nodes.map((node) => node.obey({ do: "status" })),
      );
      const least = Math.min(...all.map(({ members }) => members));
      if (least >= this.#nodes.length - 1) return;
      if (Date.now() > limit) {
        throw new Error(`Some node sees only ${least} others.`);
      }
      await sleep(TICK);
    }
  }

  /** Stores so many records, each from another node, and gives their keys. */
  async fill(records: number): Promise<string[]> {
    const keys = Array.from({ length: records }, (_, i) => `record ${i}`);
    const count = this.#nodes.length;
    const stored = await Promise.all(
      this.#nodes.map((node, n) =>
        node.obey({ do: "fill", keys: keys.filter((_, i) => i % count === n) })
      ),
    );
    const sum = stored.reduce((total, each) => total + each, 0);
    if (sum < keys.length) {
      throw new Error(`Only ${sum} of ${keys.length} records have all copies.`);
    }
    return keys;
  }

  /** Ends nodes by SIGKILL, all at once. */
  kill(victims: readonly NodeProcess[]): void {
    victims.forEach((node) => node.kill());
    this.#nodes = this.#nodes.filter((node) => !victims.includes(node));
  }

  /** Drops every packet from and to nodes, from now on. */
  async cut(victims: readonly NodeProcess[]): Promise<void> {
    await this.#lan.cut(victims.map(({ place }) => place));
  }

  /** Lets packets through again. */
  async heal(victims: readonly NodeProcess[]): Promise<void> {
    await this.#lan.heal(victims.map(({ place }) => place));
  }

  /** Ends all. */
  async stop(): Promise<void> {
    const all = this.#nodes;
    this.kill(all);
    await Promise.all(all.map((node) => node.ended()));
  }

  /** Ends all at the end of a block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Waits for so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
