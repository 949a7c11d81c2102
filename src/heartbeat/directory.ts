import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { CallOptions, RecordStore } from "../dht/types.ts";
import {
  HEARTBEAT_KEY,
  heartbeatOwner,
  heartbeatSubkeyOf,
} from "./heartbeat_record.ts";
import { parseServerInfo, type ServerInfo } from "./server_info.ts";

/** A node with a live heartbeat. */
export interface LiveNode {
  /** Base58. */
  readonly peerId: string;
  /** What it tells. */
  readonly info: ServerInfo;
  /** DHT time (Unix seconds) until which the heartbeat lives. */
  readonly expiration: number;
}

/** Options of {@linkcode Directory.read}. */
export interface DirectoryReadOptions extends CallOptions {
  /** Once aborted, what was found so far is the answer. */
  readonly enough?: AbortSignal | undefined;
  /** Is told whether enough replicas were heard to miss nobody. */
  readonly onHeard?: (isWhole: boolean) => void;
  /** Milliseconds that those who are slow are waited for; see {@linkcode GetOptions.patience}. */
  readonly patience?: number;
  /** Only these peers; all by default. */
  readonly peers?: readonly string[];
}

/** Reads who is alive. */
export class Directory {
  readonly #records: RecordStore;
  readonly #metrics: Metrics;
  readonly #key: string;
  readonly #log = loggerOf("heartbeat");

  /** Reads heartbeats under a key of the records. */
  constructor(
    records: RecordStore,
    metrics: Metrics = new MetricsRegistry(),
    key: string = HEARTBEAT_KEY,
  ) {
    this.#records = records;
    this.#metrics = metrics;
    this.#key = key;
  }

  /**
   * The nodes with live heartbeats, ascending by peer id. Malformed ones are
   * counted and skipped.
   */
  async read(options: DirectoryReadOptions = {}): Promise<LiveNode[]> {
    const { signal, enough, onHeard, patience, peers } = options;
    // Peers whose subkey cannot be told from their id need the whole.
    const subkeys = peers?.map(heartbeatSubkeyOf);
    const targeted = subkeys?.every((subkey) => subkey !== undefined);
    const found = await this.#records.get(this.#key, {
      ...{ signal, enough },
      ...(onHeard === undefined ? {} : { onHeard }),
      latest: true,
      ...(patience === undefined ? {} : { patience }),
      ...(targeted ? { subkeys } : {}),
    });
    if (found?.kind !== "dictionary") return [];
    const nodes = new Map<string, LiveNode>();
    for (const { subkey, value, expiration } of found.entries) {
      const peerId = subkey instanceof Uint8Array
        ? heartbeatOwner(subkey)
        : undefined;
      try {
        if (peerId === undefined) throw new Error("Its owner is not its peer.");
        if (peers !== undefined && !peers.includes(peerId)) continue;
        nodes.set(peerId, { peerId, info: parseServerInfo(value), expiration });
      } catch (error) {
        this.#metrics.count("meshnode_heartbeat_malformed_total");
        this.#log.debug("Skipped a heartbeat of {peerId}: {error}", {
          peerId,
          error,
        });
      }
    }
    return [...nodes.values()].sort((a, b) => a.peerId < b.peerId ? -1 : 1);
  }
}
