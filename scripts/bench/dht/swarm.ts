/** Nodes of one kind in one process, as the benchmark drives them. */
export interface Swarm {
  /** Starts nodes until there are so many, all of which can be used. */
  grow(count: number): Promise<void>;
  /** Makes what a record needs before it is stored, such as a key pair. */
  prepare(record: number): void;
  /** Signs a record and stores it from a node; fails unless it is stored. */
  put(node: number, record: number, value: Uint8Array): Promise<void>;
  /** Reads a record at a node, its signature checked. */
  get(node: number, record: number): Promise<Uint8Array | undefined>;
  /** Ends all nodes. */
  stop(): Promise<void>;
}

/** What a module in `swarms` exports. */
export interface SwarmModule {
  /** `folder` is where packages are that the project itself does not need. */
  open(folder: string): Promise<Swarm>;
}

/** Who takes part, and under which runtime. */
export const CONTESTANTS = {
  "meshnode": { runtime: "deno", module: "meshnode.ts" },
  "@libp2p/kad-dht": { runtime: "deno", module: "kad_dht.ts" },
  "hyperdht": { runtime: "node", module: "hyperdht.ts" },
  "bittorrent-dht": { runtime: "node", module: "bittorrent_dht.ts" },
} as const;

/** A contestant's name. */
export type Contestant = keyof typeof CONTESTANTS;

/** How much is measured. */
export interface ContestSettings {
  readonly nodes: number;
  readonly rounds: number;
  /** Puts, and as many gets, one at a time in each round. */
  readonly operations: number;
  /** Puts, and as many gets, 16 in flight in each round. */
  readonly parallel: number;
  readonly valueBytes: number;
  /** Seconds after which puts or gets of a round end, however few were made. */
  readonly phase: number;
  /** Seconds after which a contestant measures no further round. */
  readonly limit: number;
}

/** What an operation costs all nodes together. */
export interface Cost {
  /** Bytes on the loopback device, with all headers. */
  readonly bytes: number;
  /** Packets on the loopback device; for TCP with acknowledgements. */
  readonly packets: number;
  /** Processor time, ms. */
  readonly cpu: number;
}

/** What was measured. */
export interface ContestResult {
  readonly name: Contestant;
  readonly runtime: string;
  readonly settings: ContestSettings;
  /** Rounds measured, fewer than asked for when the time was over. */
  readonly rounds: number;
  /** From the first start until a record was read at every node, ms. */
  readonly routable: number;
  /** MiB of resident memory per node beyond the first. */
  readonly memoryPerNode: number;
  readonly put: { readonly p50: number; readonly p99: number };
  readonly get: { readonly p50: number; readonly p99: number };
  /** Per second with 16 in flight. */
  readonly putRate: number;
  readonly getRate: number;
  readonly putCost: Cost;
  readonly getCost: Cost;
  /** The share of puts that succeeded. */
  readonly stored: number;
  /** The share of gets that gave the stored value. */
  readonly correct: number;
}
