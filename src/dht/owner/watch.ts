import { equal, toHex } from "../../core/bytes.ts";
import { type Clock, dhtTime } from "../../core/clock.ts";
import { deadline } from "../../core/deadline.ts";
import { MeshError } from "../../core/errors.ts";
import { loggerOf } from "../../core/log.ts";
import { Tasks } from "../../core/tasks.ts";
import { type DhtRecord, isSame, supersedes } from "../../records/record.ts";
import { decode } from "../../records/serializer.ts";
import { isTombstone } from "../../records/tombstone.ts";
import type { Streams } from "../options.ts";
import type { WatchEvent } from "../types.ts";
import { majority } from "../writer.ts";
import { KEEPALIVE } from "./changes.ts";
import { Handoff } from "./handoff.ts";
import type { OwnerToolsParts } from "./owner_tools.ts";
import {
  type Change,
  decodeChange,
  encodeWatch,
  OWNER_METHODS,
} from "./owner_wire.ts";

/** What a watch works with. */
export interface WatchParts extends OwnerToolsParts {
  /** Streams of answers. */
  readonly streams: Streams;
  /** The time. */
  readonly clock: Clock;
  /** The replicas of the key, as they are. */
  readonly nearest: () => Promise<readonly string[]>;
  /** Aborted when the node stops. */
  readonly stopping: AbortSignal;
}

/** How often the replicas are looked at, ms. */
const TICK = 1_000;
const FIRST_PAUSE = 500;
const LAST_PAUSE = 30_000;
/** A replica that is not heard of for so long is gone, ms. */
const SILENCE = 3 * KEEPALIVE;
/** Subkeys whose state is remembered. */
const MOST_SEEN = 65_536;

/** What changes under one key, told by all its replicas, each change once. */
export class Watch {
  readonly #key: Uint8Array;
  readonly #parts: WatchParts;
  readonly #seen = new Map<
    string,
    Pick<DhtRecord, "value" | "expiration">
  >();
  readonly #events = new Handoff<WatchEvent>();
  readonly #log = loggerOf("dht");

  /** Watches a key's DHTID. */
  constructor(key: Uint8Array, parts: WatchParts) {
    this.#key = key;
    this.#parts = parts;
  }

  /** First what is there, then every change, until the signal is aborted. */
  async *events(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const leaving = new AbortController();
    const { stopping } = this.#parts;
    using life = deadline(Infinity, signal, stopping, leaving.signal);
    const tasks = new Tasks();
    tasks.own(this.#followReplicas(tasks, life.signal));
    try {
      for (;;) yield await this.#events.take(life.signal);
    } catch (error) {
      if (!life.signal.aborted) throw error;
    } finally {
      leaving.abort(new DOMException("The watch ends.", "AbortError"));
      await tasks.settled();
    }
  }

  /** Follows whoever is a replica, as they come and go. */
  async #followReplicas(tasks: Tasks, signal: AbortSignal): Promise<void> {
    const followed = new Map<string, AbortController>();
    while (!signal.aborted) {
      const replicas = new Set(await this.#parts.nearest());
      for (const [peerId, leaving] of followed) {
        if (replicas.has(peerId)) continue;
        followed.delete(peerId);
        leaving.abort(new DOMException("No replica any more.", "AbortError"));
      }
      for (const peerId of replicas) {
        if (followed.has(peerId)) continue;
        const leaving = new AbortController();
        followed.set(peerId, leaving);
        tasks.own(this.#follow(peerId, signal, leaving.signal));
      }
      await this.#parts.clock.sleep(TICK, signal).catch(() => {});
    }
  }

  /** Watches at one replica, again and again when it is lost. */
  async #follow(
    peerId: string,
    ending: AbortSignal,
    leaving: AbortSignal,
  ): Promise<void> {
    using life = deadline(Infinity, ending, leaving);
    const { signal } = life;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        let isFirst = true;
        for await (const change of this.#changesAt(peerId, signal)) {
          pause = FIRST_PAUSE;
          await this.#deliver(peerId, change, isFirst, signal);
          isFirst = false;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#parts.metrics.count("meshnode_dht_watch_losses_total");
        this.#log.debug("The watch at {peerId} was lost: {error}", {
          peerId,
          error,
        });
      }
      await this.#parts.clock.sleep(pause, signal).catch(() => {});
      pause = Math.min(2 * pause, LAST_PAUSE);
    }
  }

  async #deliver(
    peerId: string,
    change: Change,
    isFirst: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    if (change === "lagged") {
      this.#parts.metrics.count("meshnode_dht_watch_lags_total");
      await this.#events.give({ kind: "lagged" }, signal);
    }
    if (change !== "lagged" && "takenBack" in change) {
      for (const each of change.takenBack) await this.#takeBack(each, signal);
      return;
    }
    // What came before the watch, or was left out of it, is read.
    const records = isFirst || change === "lagged"
      ? await this.#heldAt(peerId, signal)
      : change;
    for (const record of records) {
      const event = this.#take(record, isFirst);
      if (event !== undefined) await this.#events.give(event, signal);
    }
  }

  async #heldAt(peerId: string, signal: AbortSignal): Promise<DhtRecord[]> {
    const { replicas, service } = this.#parts;
    const query = { key: this.#key };
    if (peerId === this.#parts.peerId) return service.find(query);
    const found = await replicas.find(peerId, [query], { signal });
    if (found?.[0] !== undefined) return found[0];
    throw new MeshError("RPC_UNREACHABLE", `${peerId} does not answer.`);
  }

  /**
   * Tells what is there instead of a record that was told and taken back. One
   * replica's word is not enough: nobody may hold it any more.
   */
  async #takeBack(record: DhtRecord, signal: AbortSignal): Promise<void> {
    const { subkey, expiration } = record;
    const name = toHex(subkey);
    const isTold = () => {
      const seen = this.#seen.get(name);
      return seen !== undefined && isSame(record, { ...record, ...seen });
    };
    if (!isTold()) return;
    const replicas = await this.#parts.nearest();
    const answers = await Promise.all(
      replicas.map((peer) => this.#heldAt(peer, signal).catch(() => undefined)),
    );
    const heard = answers.filter((records) => records !== undefined);
    const held = heard.flat().filter((each) => equal(each.subkey, subkey));
    if (
      heard.length < majority(replicas.length) || !isTold() ||
      held.some((each) => isSame(each, record))
    ) return;
    this.#seen.delete(name);
    // The newest first: what is older is no event then.
    for (const each of held.sort((a, b) => supersedes(a, b) ? -1 : 1)) {
      const event = this.#take(each, false);
      if (event !== undefined) await this.#events.give(event, signal);
    }
    if (this.#seen.has(name)) return;
    const about = { subkeyBytes: subkey, subkey: decode(subkey), expiration };
    await this.#events.give({ kind: "deleted", ...about }, signal);
  }

  /**
   * The event of a record that is valid and newer than what was told. What was
   * deleted before it was ever told is no event.
   */
  #take(record: DhtRecord, isFirst: boolean): WatchEvent | undefined {
    const name = toHex(record.subkey);
    const seen = this.#seen.get(name);
    if (seen !== undefined && !supersedes(record, seen)) return undefined;
    if (!this.#parts.service.isValid(record, "get")) {
      this.#parts.metrics.count("meshnode_dht_invalid_records_total");
      return undefined;
    }
    if (seen === undefined && this.#seen.size >= MOST_SEEN) this.#forget();
    const { value, expiration } = record;
    this.#seen.set(name, { value, expiration });
    try {
      const about = {
        subkeyBytes: record.subkey,
        subkey: decode(record.subkey),
        expiration,
      };
      if (isTombstone(record)) {
        return isFirst && seen === undefined
          ? undefined
          : { kind: "deleted", ...about };
      }
      const stripped = this.#parts.validator.stripValue(record);
      return { kind: "changed", ...about, value: decode(stripped) };
    } catch {
      this.#parts.metrics.count("meshnode_dht_undecodable_records_total");
      return undefined;
    }
  }

  /** Makes room; what is forgotten may be told once more. */
  #forget(): void {
    const now = dhtTime(this.#parts.clock);
    for (const [name, { expiration }] of this.#seen) {
      if (expiration < now) this.#seen.delete(name);
    }
    if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
  }

  async *#changesAt(
    peerId: string,
    signal: AbortSignal,
  ): AsyncGenerator<Change> {
    const { owners, streams } = this.#parts;
    if (peerId === this.#parts.peerId) {
      yield* owners.watch(this.#key, signal);
      return;
    }
    const silent = new AbortController();
    using life = deadline(Infinity, signal, silent.signal);
    const begin = () =>
      setTimeout(
        () => silent.abort(new MeshError("RPC_TIMEOUT", "It fell silent.")),
        SILENCE,
      );
    let timer = begin();
    try {
      const items = streams.stream(
        peerId,
        OWNER_METHODS.watch,
        encodeWatch(this.#key),
        { timeout: Infinity, signal: life.signal },
      );
      for await (const item of items) {
        // Our own reader may take its time.
        clearTimeout(timer);
        yield decodeChange(item, this.#key);
        timer = begin();
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
