import type { MeshValue } from "../records/values.ts";

/** A record to store. */
export interface StoreRequest {
  /** Hashed to the record's place, as its serialized form. */
  readonly key: MeshValue;
  /** With a subkey the record is one entry of the key's dictionary. */
  readonly subkey?: MeshValue;
  /** What to store. */
  readonly value: MeshValue;
  /** DHT time (Unix seconds) until which the record lives. */
  readonly expiration: number;
}

/** What one replica did with a record. */
export type ReplicaOutcome =
  | "stored"
  | "older"
  | "refused"
  | "later"
  | "conflict"
  | "withdrawn"
  | "unreachable";

/** One replica's answer to a store. */
export interface ReplicaAnswer {
  /** Base58; our own for the local replica. */
  readonly peerId: string;
  /**
   * `older`: it holds a record that is at least as new. `later`: it does not
   * know yet what the record depends on; the same record may be sent again.
   * `conflict`: what it holds is not what was expected, or another writer is
   * about to store there. `withdrawn`: it would have stored the record, or had
   * stored it, and has nothing of it any more.
   */
  readonly outcome: ReplicaOutcome;
  /** Why it refused, or could not be reached; a code. */
  readonly reason?: string;
}

/** The result of a store. */
export interface StoreResult {
  /** Whether so many replicas stored the record as are needed. */
  readonly stored: boolean;
  /** How many are needed. */
  readonly quorum: number;
  /** The answers so far, nearest first. */
  readonly replicas: readonly ReplicaAnswer[];
  /**
   * Of a conditional store that failed: replicas that could not be asked any
   * more may hold the record, which then spreads to the others.
   */
  readonly isUncertain?: boolean;
}

/** One entry of a dictionary. */
export interface FoundEntry {
  /** The subkey's serialized form. */
  readonly subkeyBytes: Uint8Array;
  /** The subkey. */
  readonly subkey: MeshValue;
  /** The value, without its signature. */
  readonly value: MeshValue;
  /** DHT time (Unix seconds). */
  readonly expiration: number;
  /** Tells this state from every other; when digests were asked for. */
  readonly digest?: Uint8Array;
}

/** What was found under a key. */
export type Found =
  | {
    /** One value. */
    readonly kind: "plain";
    /** The value, without its signature. */
    readonly value: MeshValue;
    /** DHT time (Unix seconds). */
    readonly expiration: number;
    /** Tells this state from every other; when digests were asked for. */
    readonly digest?: Uint8Array;
  }
  | {
    /** Many owners' values. */
    readonly kind: "dictionary";
    /** Ascending by the subkey's bytes. */
    readonly entries: readonly FoundEntry[];
  };

/** One call of an operation, for whoever wants to see how it went. */
export interface CallTrace {
  /** `lookup`: it was asked who is nearer to the key. `call`: for records. */
  readonly kind: "lookup" | "call";
  /** Who was asked, base58. */
  readonly peerId: string;
  /** For what. */
  readonly method: string;
  /** How long it took. */
  readonly milliseconds: number;
  /** `answered`, or the code of what went wrong. */
  readonly outcome: string;
  /** Of an answer in a lookup: how many peers it named that are nearer to the key than itself. */
  readonly closer?: number;
}

/** Options of a call. */
export interface CallOptions {
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of each call to another peer, once it begins. */
  readonly onAsk?: (peerId: string, method: string) => void;
  /** Is told of each call to another peer, once it ended. */
  readonly onCall?: (trace: CallTrace) => void;
}

/** Options of a store. */
export interface PutOptions extends CallOptions {
  /** How many replicas must take the record, at least one and not more than there are; see {@linkcode DhtOptions}. */
  readonly writeQuorum?: number;
  /** Wait for every replica's answer, not only for the quorum. */
  readonly awaitAll?: boolean;
}

/** Options of a read. */
export interface GetOptions extends CallOptions {
  /**
   * Ask every replica and take the newest, even if a live value is at hand.
   * Who is silent is not waited for once enough replicas were heard to see
   * every store that succeeded.
   */
  readonly latest?: boolean;
  /**
   * Milliseconds that a read of the latest waits for those who are slow, and not
   * silent, after enough replicas were heard; 100, or as long as that took, by
   * default.
   */
  readonly patience?: number;
  /** Once aborted, what was found so far is the answer. */
  readonly enough?: AbortSignal | undefined;
  /** Is told, of a read of the latest, whether enough replicas were heard to see every store that succeeded. */
  readonly onHeard?: (isWhole: boolean) => void;
  /** Only these subkeys of a dictionary; all by default. */
  readonly subkeys?: readonly MeshValue[];
  /** Add each record's digest, for a conditional store. */
  readonly digests?: boolean;
  /** Look up who holds the keys, step by step, even where the table holds the whole mesh. */
  readonly lookup?: boolean;
}

/** Options of a deletion. */
export interface DeleteOptions extends PutOptions {
  /** DHT time until which the deletion is remembered; just longer than the record lives by default. */
  readonly expiration?: number;
}

/** Options of a listing. */
export interface ListOptions extends CallOptions {
  /** Goes on after this subkey, in its serialized form. */
  readonly after?: Uint8Array | undefined;
  /** Most entries of the page; 256 by default. Deleted ones take a place, too. */
  readonly limit?: number;
}

/** Part of a dictionary. */
export interface ListPage {
  /** Ascending by the subkey's bytes. */
  readonly entries: readonly FoundEntry[];
  /** Where the next page begins, as {@linkcode ListOptions.after}; absent at the end. */
  readonly next?: Uint8Array;
}

/** What a watch tells. */
export type WatchEvent =
  | {
    /** A record that is new, or new to the watch. */
    readonly kind: "changed";
    /** The subkey's serialized form. */
    readonly subkeyBytes: Uint8Array;
    /** The subkey; null for a plain record. */
    readonly subkey: MeshValue;
    /** The value, without its signature. */
    readonly value: MeshValue;
    /** DHT time (Unix seconds). */
    readonly expiration: number;
  }
  | {
    /** A record was deleted. */
    readonly kind: "deleted";
    /** The subkey's serialized form. */
    readonly subkeyBytes: Uint8Array;
    /** The subkey; null for a plain record. */
    readonly subkey: MeshValue;
    /** DHT time until which the deletion is remembered. */
    readonly expiration: number;
  }
  | {
    /** Changes came faster than they were read, and some were left out: the newest state follows. */
    readonly kind: "lagged";
  };

/** Records, as everything above the DHT sees them. */
export interface RecordStore {
  /** Stores a record at its replicas. */
  store(request: StoreRequest, options?: PutOptions): Promise<StoreResult>;
  /** Finds what lives under a key; `undefined` if nothing does. */
  get(key: MeshValue, options?: GetOptions): Promise<Found | undefined>;
}
