import { equal } from "../../mod.ts";
import type { ChaosMesh, ChaosNode } from "./mesh.ts";

/** Gets under way at once. */
const AT_ONCE = 16;

interface Entry {
  readonly key: string;
  /** Its owner's marker. */
  readonly subkey: Uint8Array;
  value: Uint8Array;
  expiration: number;
}

/** What a look at all records found. */
export interface Survey {
  /** Records found with their newest value. */
  readonly found: number;
  /** Records not found, or with an older value. */
  readonly lost: readonly string[];
}

/** Remembers what was stored in a mesh, to ask for it later. */
export class Ledger {
  readonly #mesh: ChaosMesh;
  readonly #entries: Entry[] = [];
  readonly #life: number;

  /** Records live for `life` seconds. */
  constructor(mesh: ChaosMesh, life = 6 * 3600) {
    this.#mesh = mesh;
    this.#life = life;
  }

  /** The keys, in the order in which they were stored. */
  get keys(): readonly string[] {
    return this.#entries.map(({ key }) => key);
  }

  /** Stores so many records, each signed by the node that stores it. */
  async fill(count: number): Promise<void> {
    const { random } = this.#mesh;
    await this.#each(Array.from({ length: count }), async () => {
      const owner = this.#mesh.any();
      const entry = {
        key: `record-${this.#entries.length}`,
        subkey: owner.ownerMarker,
        value: random.bytes(128),
        expiration: this.#expiration(),
      };
      this.#entries.push(entry);
      await this.#store(owner, entry);
    });
  }

  /** The owners of all records that live store newer values of them. */
  async renew(): Promise<void> {
    await this.#each(this.#entries, async (entry) => {
      const owner = this.#mesh.nodes.find(({ ownerMarker }) =>
        equal(ownerMarker, entry.subkey)
      );
      if (owner === undefined) return;
      entry.value = this.#mesh.random.bytes(128);
      entry.expiration = this.#expiration();
      await this.#store(owner, entry);
    });
  }

  /** Asks nodes, chosen for each record, for all records. */
  async survey(
    ask: (key: string) => ChaosNode = () => this.#mesh.any(),
  ): Promise<Survey> {
    const lost: string[] = [];
    await this.#each(this.#entries, async (entry) => {
      const found = await this.#isFound(ask(entry.key), entry);
      if (!found) lost.push(entry.key);
    });
    return { found: this.#entries.length - lost.length, lost };
  }

  /** Asks a node for a record, both chosen by chance. */
  async probe(): Promise<boolean> {
    return await this.#isFound(
      this.#mesh.any(),
      this.#mesh.random.pick(this.#entries),
    );
  }

  async #isFound({ dht }: ChaosNode, entry: Entry): Promise<boolean> {
    const found = await dht.get(entry.key);
    return found?.kind === "dictionary" &&
      found.entries.some(({ value }) =>
        value instanceof Uint8Array && equal(value, entry.value)
      );
  }

  #expiration(): number {
    return this.#mesh.clock.now() / 1000 + this.#life;
  }

  async #store(owner: ChaosNode, entry: Entry): Promise<void> {
    const { stored } = await owner.dht.store(entry);
    if (!stored) throw new Error(`${entry.key} was stored nowhere.`);
  }

  /** Does something with every item, in virtual time, a few at once. */
  async #each<T>(
    items: readonly T[],
    act: (item: T) => Promise<void>,
  ): Promise<void> {
    const queue = items.values();
    const worker = async () => {
      for (const item of queue) await act(item);
    };
    const workers = Promise.all(Array.from({ length: AT_ONCE }, worker));
    await this.#mesh.clock.run(workers, Infinity);
  }
}
