import {
  encode,
  LocalStorage,
  type LocalStorageOptions,
  MemoryTable,
  MetricsRegistry,
  NO_SUBKEY,
  type RecordTable,
  SqliteTable,
  type StoreOptions,
} from "../../mod.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The key that {@linkcode Held.put} uses unless another is named. */
export const KEY: Uint8Array = new Uint8Array(20).fill(1);

/** Another key. */
export const otherKey = (n: number): Uint8Array => new Uint8Array(20).fill(n);

/** A storage with a clock that stands still. */
export class Held {
  readonly clock = { now: 100 };
  readonly metrics: MetricsRegistry;
  readonly storage: LocalStorage;

  constructor(
    table: RecordTable,
    options: Omit<LocalStorageOptions, "table"> = {},
    metrics = new MetricsRegistry(),
  ) {
    this.metrics = metrics;
    this.storage = new LocalStorage(() => this.clock.now, {
      table,
      metrics,
      ...options,
    });
  }

  put(
    value: string | Uint8Array,
    expiration: number,
    subkey?: string,
    key = KEY,
    options: StoreOptions = {},
  ): string {
    return this.storage.store({
      key,
      subkey: subkey === undefined ? NO_SUBKEY : encode(subkey),
      value: typeof value === "string" ? bytes(value) : value,
      expiration,
    }, options);
  }

  /** What is visible under a key, as `value@expiration`. */
  held(key = KEY): string[] {
    return this.storage.find(key).map(({ value, expiration }) =>
      `${new TextDecoder().decode(value)}@${expiration}`
    );
  }
}

/** Tests a behaviour of records in memory and in a file. */
export function testTables(
  name: string,
  test: (
    make: (options?: Omit<LocalStorageOptions, "table">) => Held,
  ) => Promise<void> | void,
): void {
  Deno.test(`${name} (in memory)`, () =>
    test((options) => new Held(new MemoryTable(), options)));
  Deno.test(`${name} (in a file)`, async () => {
    const folder = await Deno.makeTempDir();
    const open: Held[] = [];
    try {
      await test((options) => {
        const metrics = new MetricsRegistry();
        const path = `${folder}/${open.length}.db`;
        const table = SqliteTable.open(path, { metrics });
        const held = new Held(table, options, metrics);
        open.push(held);
        return held;
      });
    } finally {
      for (const { storage } of open) await storage.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
