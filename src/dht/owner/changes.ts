import { toHex } from "../../core/bytes.ts";
import { raceSignal } from "../../core/deadline.ts";
import { sizeOf } from "../../records/limits.ts";
import { type DhtRecord, isSame } from "../../records/record.ts";
import type { Change } from "./owner_wire.ts";

/** A watcher hears something at least this often, ms. */
export const KEEPALIVE = 10_000;

/** What waits for one watcher. */
const BOUNDS = { records: 256, bytes: 1024 * 1024 } as const;

/** Tells watchers which records were stored here. */
export class Changes {
  readonly #watchings = new Map<string, Set<Watching>>();

  /** Begins to watch a key; dispose it to end. */
  watch(key: Uint8Array): Watching {
    const name = toHex(key);
    const watching = new Watching(() => {
      const others = this.#watchings.get(name);
      others?.delete(watching);
      if (others?.size === 0) this.#watchings.delete(name);
    });
    const present = this.#watchings.get(name);
    if (present === undefined) this.#watchings.set(name, new Set([watching]));
    else present.add(watching);
    return watching;
  }

  /** Tells who watches the record's key. */
  tell(record: DhtRecord): void {
    for (const watching of this.#of(record)) watching.add(record);
  }

  /** Tells them that a record is gone which they were told of. */
  takeBack(record: DhtRecord): void {
    for (const watching of this.#of(record)) watching.takeBack(record);
  }

  #of({ key }: DhtRecord): Iterable<Watching> {
    if (this.#watchings.size === 0) return [];
    return this.#watchings.get(toHex(key)) ?? [];
  }
}

/** The changes of one key for one watcher. What it does not take in time is left out, and it is told so. */
export class Watching implements Disposable {
  readonly #end: () => void;
  #records: DhtRecord[] = [];
  /** They were told before. */
  #takenBack: DhtRecord[] = [];
  #bytes = 0;
  #lagged = false;
  #woken = Promise.withResolvers<void>();

  /** Calls `end` when it is disposed. */
  constructor(end: () => void) {
    this.#end = end;
  }

  /** Adds a change. */
  add(record: DhtRecord): void {
    if (!this.#lagged) {
      this.#records.push(record);
      this.#bytes += sizeOf(record);
      this.#lagged = this.#records.length > BOUNDS.records ||
        this.#bytes > BOUNDS.bytes + sizeOf(record);
      if (this.#lagged) this.#clear();
    }
    this.#woken.resolve();
  }

  /** Tells that a record was taken back, unless it was not told at all. */
  takeBack(record: DhtRecord): void {
    const at = this.#records.findIndex((each) => isSame(each, record));
    if (at >= 0) {
      this.#records.splice(at, 1);
      this.#bytes -= sizeOf(record);
    } else if (this.#takenBack.length < BOUNDS.records) {
      this.#takenBack.push(record);
    }
    this.#woken.resolve();
  }

  /** The changes since the last time; none when the signal is aborted before there are any. */
  async next(signal: AbortSignal): Promise<Change> {
    if (
      this.#records.length === 0 && this.#takenBack.length === 0 &&
      !this.#lagged
    ) {
      this.#woken = Promise.withResolvers();
      await raceSignal(this.#woken.promise, signal).catch(() => {});
    }
    if (this.#takenBack.length > 0) {
      const takenBack = this.#takenBack;
      this.#takenBack = [];
      return { takenBack };
    }
    if (this.#lagged) {
      this.#lagged = false;
      return "lagged";
    }
    return this.#clear();
  }

  /** Ends the watching. */
  [Symbol.dispose](): void {
    this.#end();
  }

  #clear(): DhtRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    return records;
  }
}
