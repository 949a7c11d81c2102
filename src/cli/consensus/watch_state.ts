import type { BlockRef } from "../../chain/types.ts";
import type { RecordStore } from "../../dht/types.ts";
import {
  type EpochResult,
  type EpochView,
  readEpochView,
  type Reading,
  readResult,
} from "./epoch_view.ts";
import { lookAtMesh, type MeshSight } from "./mesh_sight.ts";
import type { OwnVote, OwnVoteReader } from "./own_vote.ts";
import {
  chainEvents,
  endedEvent,
  meshEvents,
  ownEvents,
  type WatchEvent,
} from "./watch_events.ts";

/** What is looked at. */
export interface WatchSources {
  /** The chain. */
  readonly reading: Reading;
  /** The mesh's records; without them commits and reveals are not seen. */
  readonly records: RecordStore | undefined;
  /** A node on this machine; without it no own decisions are seen. */
  readonly own: OwnVoteReader | undefined;
}

/** Epochs and events that are kept for the view. */
const KEPT = { results: 6, events: 100 };

/** All that a watch knows, kept from what chain, mesh and journal say. */
export class WatchState {
  readonly #sources: WatchSources;
  readonly #tell: (event: WatchEvent) => void;
  /** The chain; absent until it was read. */
  view: EpochView | undefined;
  /** The mesh; absent until it was seen. */
  sight: MeshSight | undefined;
  /** The node on this machine. */
  own: OwnVote | undefined;
  /** Why the last look failed, if it did. */
  trouble: string | undefined;
  /** The last epochs that ended, oldest first. */
  results: EpochResult[] = [];
  /** The last events, oldest first. */
  readonly events: WatchEvent[] = [];
  /** Epochs that ended since it began. */
  ended = 0;
  #first: number | undefined;

  /** `tell` is given every event. */
  constructor(sources: WatchSources, tell: (event: WatchEvent) => void) {
    this.#sources = sources;
    this.#tell = tell;
  }

  /** Whether the mesh is looked at. */
  get seesMesh(): boolean {
    return this.#sources.records !== undefined;
  }

  /** Whether a node's journal is looked at. */
  get seesOwn(): boolean {
    return this.#sources.own !== undefined;
  }

  /** Looks at everything anew. What cannot be read stays as it was. */
  async look(head: BlockRef, signal: AbortSignal): Promise<void> {
    const { reading, records } = this.#sources;
    try {
      const view = await readEpochView(head, reading);
      await this.#turn(view, head);
      chainEvents(this.view, view).forEach((each) => this.#add(each));
      this.view = view;
      this.lookAtOwn();
      const { position: { epoch, beforeSlot }, phase } = view;
      if (records !== undefined && !beforeSlot) {
        const before = this.sight;
        const sight = await lookAtMesh(records, epoch, phase, before, signal);
        meshEvents(before, sight, view).forEach((each) => this.#add(each));
        this.sight = sight;
      }
      this.trouble = undefined;
    } catch (error) {
      if (!signal.aborted) this.trouble = messageOf(error);
    }
  }

  /** Looks at the journal only, which may change at any moment. */
  lookAtOwn(): void {
    let own: OwnVote | undefined;
    try {
      own = this.#sources.own?.read();
    } catch (error) {
      this.trouble = messageOf(error);
    }
    if (own === undefined || this.view === undefined) return;
    ownEvents(this.own, own, this.view.block).forEach((each) =>
      this.#add(each)
    );
    this.own = own;
  }

  /** Tells how epochs ended that are over with a block. */
  async #turn({ position }: EpochView, head: BlockRef): Promise<void> {
    const { epoch, beforeSlot } = position;
    if (beforeSlot) return;
    this.#first ??= epoch;
    const last = this.view?.position;
    if (last === undefined || last.beforeSlot || last.epoch >= epoch) return;
    const result = await readResult(last.epoch, head, this.#sources.reading);
    // What the node decided in it comes first.
    this.lookAtOwn();
    this.results = [...this.results, result].slice(-KEPT.results);
    this.#add(endedEvent(result, head.number, this.sight));
    this.ended = epoch - this.#first;
  }

  #add(event: WatchEvent): void {
    this.events.push(event);
    if (this.events.length > KEPT.events) this.events.shift();
    this.#tell(event);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
