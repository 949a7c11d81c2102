import { randomBytes } from "node:crypto";
import { concat } from "../core/bytes.ts";
import { type Clock, dhtTime } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { MeshError } from "../core/errors.ts";
import { StoreError } from "../dht/errors.ts";
import type { RecordStore, StoreResult } from "../dht/types.ts";
import { heartbeatSubkey } from "../heartbeat/heartbeat_record.ts";
import type { Identity } from "../identity/mod.ts";
import {
  commitKey,
  commitment,
  revealKey,
  revealValue,
} from "../validation/commit_reveal.ts";
import type { Journal } from "./journal.ts";
import type { Observation } from "./observation.ts";
import type { Observer } from "./observer.ts";
import { blockOfPart, type Phases } from "./phases.ts";
import { type WorkProvider, workSeed } from "./work_provider.ts";

/** A subnet's work, and where its records go. */
export interface WorkOptions {
  /** Does the work. */
  readonly provider: WorkProvider;
  /** Where commits and reveals are stored. */
  readonly records: RecordStore;
  /** Whose they are. */
  readonly identity: Pick<Identity, "peerId" | "openSsh">;
  /** Bytes for salts; the machine's by default. */
  readonly randomBytes?: (size: number) => Uint8Array;
}

/** Where a record arrived. */
export interface Published {
  /** Whether another node holds it, or there is none. */
  readonly stored: boolean;
  /** Whether enough of its replicas hold it: all for a commit, most for a reveal. */
  readonly complete: boolean;
}

const PUBLISH_TIMEOUT = 10_000;
const SALT_BYTES = 32;
/** Most bytes of a result: it travels in one record with its salt and signature. */
const MAX_RESULT = 16 * 1024;

/** Does the work of epochs, commits to it and reveals it. */
export class Worker {
  readonly #options: WorkOptions;
  readonly #subnetId: number;
  readonly #observer: Observer;
  readonly #phases: Phases;
  readonly #clock: Clock;

  /** Does nothing by itself. */
  constructor(
    options: WorkOptions,
    subnetId: number,
    observer: Observer,
    phases: Phases,
    clock: Clock,
  ) {
    this.#options = options;
    this.#subnetId = subnetId;
    this.#observer = observer;
    this.#phases = phases;
    this.#clock = clock;
  }

  /** Does an epoch's work, and keeps its result in the journal. */
  async perform(
    epoch: number,
    { position, node }: Observation,
    journal: Journal,
    parent: AbortSignal,
  ): Promise<void> {
    // A result that was kept before a restart is as good as it was.
    if (journal.work(epoch) !== undefined) return;
    const { provider, identity } = this.#options;
    const { genesis, blockMilliseconds } = await this.#observer.constants(
      parent,
    );
    const length = position.elapsed + position.remaining;
    const left = blockOfPart(this.#phases.reveal, length) - position.elapsed;
    using limit = deadline(left * blockMilliseconds, parent);
    const result = await provider.perform({
      epoch,
      nodeId: node?.id ?? 0,
      peerId: identity.peerId,
      seed: workSeed(genesis, this.#subnetId, epoch),
      signal: limit.signal,
    });
    limit.signal.throwIfAborted();
    if (result.length > MAX_RESULT) {
      throw new MeshError(
        "WORK_TOO_LARGE",
        `A result of ${result.length} bytes does not fit into a record.`,
        { hint: `Return a hash of it, or at most ${MAX_RESULT} bytes.` },
      );
    }
    const salt = (this.#options.randomBytes ?? randomBytes)(SALT_BYTES);
    // Whoever votes in the next epoch may still read it.
    const blocks = position.remaining + length;
    journal.keepWork({
      epoch,
      salt: concat(salt),
      result: concat(result),
      expiration: dhtTime(this.#clock) + blocks * blockMilliseconds / 1_000,
    });
  }

  /** Stores the commit or the reveal of an epoch; doing it again changes nothing. */
  async publish(
    epoch: number,
    what: "commit" | "reveal",
    journal: Journal,
    parent: AbortSignal,
  ): Promise<Published> {
    const { records, identity } = this.#options;
    const work = journal.work(epoch);
    if (work === undefined) {
      throw new MeshError(
        "WORK_FORGOTTEN",
        `The journal does not hold the work of epoch ${epoch}.`,
      );
    }
    using limit = deadline(PUBLISH_TIMEOUT, parent);
    const reveal = { salt: work.salt, data: work.result };
    const isCommit = what === "commit";
    const { stored, replicas } = await records.store({
      key: isCommit ? commitKey(epoch) : revealKey(epoch),
      subkey: heartbeatSubkey(identity),
      value: isCommit
        ? commitment(epoch, identity.peerId, reveal)
        : revealValue(reveal),
      expiration: work.expiration,
    }, { signal: limit.signal, awaitAll: isCommit }).catch(resultOf);
    const others = replicas.filter(({ peerId }) => peerId !== identity.peerId);
    // "older" says that the replica has the very same, from an earlier attempt.
    const holding =
      others.filter(({ outcome }) =>
        outcome === "stored" || outcome === "older"
      ).length;
    return {
      stored: others.length === 0 || holding > 0,
      // A replica without the commit would refuse the reveal.
      complete: isCommit
        ? holding === others.length
        : stored && holding > 0 || 2 * holding >= others.length,
    };
  }
}

/** Fewer replicas than wanted may be some all the same. */
function resultOf(error: unknown): StoreResult {
  if (error instanceof StoreError) return error.result;
  throw error;
}
