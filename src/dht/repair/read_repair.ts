import { toHex } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import type { Tasks } from "../../core/tasks.ts";
import { type DhtRecord, supersedes } from "../../records/record.ts";
import type { Read } from "../read_run.ts";
import type { ReplicaService } from "../service.ts";
import type { Syncer } from "./syncer.ts";

/** Bounds of repairing after reads. */
const BOUNDS = {
  /** Records on their way at once; more are left to the sweeps. */
  pending: 1_024,
  /** Repairs that are remembered, and for how long, ms. */
  remembered: 8_192,
  memory: 30_000,
} as const;

/** Gives the replicas that a read heard what they lack of what it found. */
export class ReadRepair {
  readonly #peerId: string;
  readonly #service: ReplicaService;
  readonly #syncer: Syncer;
  readonly #tasks: Tasks;
  readonly #clock: Clock;
  /** When which record was handed to whom. */
  readonly #recent = new Map<string, number>();
  #pending = 0;

  /** Hands out copies with the syncer; our own replica takes them itself. */
  constructor(
    peerId: string,
    service: ReplicaService,
    syncer: Syncer,
    tasks: Tasks,
    clock: Clock,
  ) {
    this.#peerId = peerId;
    this.#service = service;
    this.#syncer = syncer;
    this.#tasks = tasks;
    this.#clock = clock;
  }

  /** Looks at reads of which nothing is under way any more. */
  heard(reads: readonly Read[], signal: AbortSignal): void {
    const wanting = new Map<string, DhtRecord[]>();
    for (const read of reads) {
      for (const { peerId, record } of this.#missing(read)) {
        const batch = wanting.get(peerId);
        if (batch === undefined) wanting.set(peerId, [record]);
        else batch.push(record);
      }
    }
    for (const [peerId, records] of wanting) {
      this.#pending += records.length;
      this.#tasks.own(
        this.#give(peerId, records, signal)
          .finally(() => this.#pending -= records.length),
      );
    }
  }

  async #give(
    peerId: string,
    records: readonly DhtRecord[],
    signal: AbortSignal,
  ): Promise<void> {
    if (peerId === this.#peerId) {
      // Somebody else's copies: whose word they were, no matter.
      await Promise.all(
        records.map((record) => this.#service.store(record, "copy")),
      );
    } else await this.#syncer.copy(peerId, records, "read", { signal });
  }

  /** Which replicas lack what. */
  *#missing(
    { answers, replicas, merge }: Read,
  ): Generator<{ readonly peerId: string; readonly record: DhtRecord }> {
    if (answers.length < 2 || merge.isEmpty) return;
    const heard = answers.map(({ peerId, records }) => ({
      peerId,
      held: new Map(records.map((each) => [toHex(each.subkey), each])),
    }));
    for (const record of merge.records) {
      const subkey = toHex(record.subkey);
      const lacks = (held: ReadonlyMap<string, DhtRecord>) => {
        const theirs = held.get(subkey);
        return theirs === undefined || supersedes(record, theirs);
      };
      const holders = heard.filter(({ held }) => !lacks(held));
      // The word of one alone is not passed on as what was accepted.
      if (
        holders.length < 2 &&
        !holders.some(({ peerId }) => peerId === this.#peerId)
      ) continue;
      for (const { peerId, held } of heard) {
        if (!lacks(held) || !replicas.includes(peerId)) continue;
        if (this.#pending >= BOUNDS.pending) return;
        const name = `${peerId} ${
          toHex(record.key)
        } ${subkey} ${record.expiration}`;
        if (this.#isNew(name)) yield { peerId, record };
      }
    }
  }

  #isNew(name: string): boolean {
    const now = this.#clock.now();
    const before = this.#recent.get(name);
    if (before !== undefined && now - before < BOUNDS.memory) return false;
    this.#recent.delete(name);
    if (this.#recent.size >= BOUNDS.remembered) {
      const [oldest] = this.#recent.keys();
      if (oldest !== undefined) this.#recent.delete(oldest);
    }
    this.#recent.set(name, now);
    return true;
  }
}
