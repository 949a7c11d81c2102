/** What a node's process is told to be. */
export interface NodeSettings {
  /** Where it listens. */
  readonly address: string;
  /** Through whom it enters the mesh. */
  readonly bootstrap: readonly string[];
  /** Its key, 32 bytes in hexadecimal; a new one by default. */
  readonly seed?: string;
  /** The file of the chain that says who has stake; everybody may take part without. */
  readonly chain?: string;
  /** Most members from one network; the default of nodes otherwise. */
  readonly perNetwork?: number;
}

/** What a node's process is told to do. */
export type Order =
  /** Store a record under each key, at all its replicas. */
  | { readonly do: "fill"; readonly keys: readonly string[] }
  /** Which peers hold each key. */
  | { readonly do: "replicas"; readonly keys: readonly string[] }
  /** Read keys by chance, one at a time, for some time. */
  | {
    readonly do: "read";
    readonly keys: readonly string[];
    /** ms. */
    readonly duration: number;
    /** Between two gets, ms. */
    readonly pause: number;
    readonly seed: number;
    /** Store a record after each get, too. */
    readonly puts?: boolean;
  }
  /** Read each key once. */
  | { readonly do: "readAll"; readonly keys: readonly string[] }
  | {
    readonly do: "status";
    /** Collect the garbage first. */
    readonly collect?: boolean;
  };

/** One get or put. */
export interface Sample {
  readonly act: "get" | "put";
  /** Wall clock, ms. */
  readonly start: number;
  readonly milliseconds: number;
  /** Whether it gave what was stored, or stored it. */
  readonly succeeded: boolean;
  /** The calls it made, when it was slow: peer, time, outcome. */
  readonly calls?: readonly string[];
}

/** What a node says of itself. */
export interface Status {
  readonly peerId: string;
  readonly addresses: readonly string[];
  /** Where it stands in the mesh. */
  readonly network: string;
  readonly members: number;
  readonly records: number;
  /** Resident memory, bytes. */
  readonly rss: number;
  /** Memory in use once everything that nobody holds is gone, bytes. */
  readonly used?: number;
  /** Processor time so far, ms. */
  readonly cpu: number;
  /** What it counted, by name and labels. */
  readonly counts: Readonly<Record<string, number>>;
}

/** The answer to each order. */
export interface Answers {
  readonly fill: number;
  readonly replicas: readonly (readonly string[])[];
  readonly read: readonly Sample[];
  readonly readAll: readonly Sample[];
  readonly status: Status;
}

/** An answer on its way. */
export interface Reply {
  readonly id: number;
  readonly answer?: Answers[Order["do"]];
  readonly error?: string;
}

/** The value of a key's record, 128 bytes long. */
export function valueOf(key: string): string {
  return `${key} `.repeat(128).slice(0, 128);
}
