import {
  type Clock,
  ClockMonitor,
  compareScores,
  Consensus,
  type ConsensusOptions,
  type ConsensusReport,
  Directory,
  HeartbeatAnnouncer,
  type Identity,
  type Journal,
  MemoryJournal,
  type Metrics,
  type NodeScore,
  ONE,
  PingAggregator,
  type Presence,
  PresenceScorer,
  replay,
  RevealQualityScorer,
  type Scorer,
} from "../../mod.ts";
import { watchClock } from "../../src/node/clock_watch.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { type Lie, lyingRecords } from "./lies.ts";
import { BLOCK, type Port, type SimChain, SUBNET } from "./sim_chain.ts";
import type { SimMesh } from "./sim_mesh.ts";
import type { ChainFaults } from "./sim_pool.ts";
import { watched } from "./watched_journal.ts";

const GENESIS = 1_700_000_000_000;
/** Seconds between heartbeats: half an epoch, as nodes have it in such short ones. */
const PERIOD = 60;
/** Pause until a node looks again whether it is connected, ms; the node's own. */
const JOIN_TICK = 100;

/** One for being there, one for the right result. */
const SCORER: Scorer = {
  async score(context) {
    const sums = new Map<number, bigint>();
    for (const scorer of [new PresenceScorer(), new RevealQualityScorer()]) {
      for (const { nodeId, score } of await scorer.score(context)) {
        sums.set(nodeId, (sums.get(nodeId) ?? 0n) + score);
      }
    }
    return [...sums].map(([nodeId, score]) => ({ nodeId, score }));
  },
};

/** What a node is made of. */
export interface SimNodeParts {
  readonly identity: Identity;
  readonly hotkey: string;
  readonly id: number;
  readonly lie: Lie | undefined;
  /** Milliseconds by which its clock is wrong. */
  readonly skew: number;
  readonly chain: SimChain;
  readonly mesh: SimMesh;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** Opens its journal anew for each life; in memory, and kept, by default. */
  readonly journal?: () => Journal;
  /** Changes what its consensus is made of, to see whether that is noticed. */
  readonly sabotage?: Sabotage | undefined;
  /** Is told what must never be. */
  readonly violated: (what: string) => void;
}

/** Changes the parts of a node's consensus. */
export type Sabotage = (
  options: ConsensusOptions,
  node: SimNode,
) => ConsensusOptions;

/** A node of a simulation: the real driver and heartbeat, killed and started again. */
export class SimNode {
  readonly #parts: SimNodeParts;
  readonly #clock: Clock;
  readonly #port: Port;
  readonly #openJournal: () => Journal;
  readonly #tasks = new Set<Promise<void>>();
  /** Scores of its own, by epoch. */
  readonly #own = new Map<number, readonly NodeScore[]>();
  #journal: Journal = new MemoryJournal(3);
  #monitor: ClockMonitor | undefined;
  #heartbeat: HeartbeatAnnouncer | undefined;
  #presence: Presence | undefined;
  #life = new AbortController();
  #writes = 0;
  #dieAtWrite: (() => void) | undefined;
  /** Milliseconds by which its clock is wrong. */
  skew: number;
  /** The earliest moment at which it goes online. */
  onlineAt = 0;
  /** Seconds after which its monitor calls a clock wrong; the usual ones by default. */
  clockTolerance: number | undefined;
  /** How many lives it had, with the present one. */
  lives = 0;
  /** When its life began. */
  bornAt = 0;
  /** Since when nothing keeps it from its work; absent while something does. */
  fineSince: number | undefined;
  /** Kinds of events at whose writing it was killed. */
  readonly diedAt = new Set<string>();
  /** How epochs ended for it. */
  readonly outcomes = new Map<number, ConsensusReport>();
  /** Is told of each write to its journal, right after it. */
  onWrite: (what: string) => void = () => {};

  constructor(parts: SimNodeParts) {
    this.#parts = parts;
    const { clock, chain, hotkey, random, mesh, identity } = parts;
    this.skew = parts.skew;
    const kept = this.#journal;
    this.#openJournal = parts.journal ?? (() => kept);
    this.#clock = {
      now: () => clock.now() + this.skew,
      sleep: (time, signal) => clock.sleep(time, signal),
    };
    this.#port = chain.port(hotkey, () => random.between(1, mesh.delay));
    this.#life.abort();
    mesh.add(identity.peerId, {
      now: () => this.#clock.now(),
      position: () => this.#port.position(),
    });
  }

  get id(): number {
    return this.#parts.id;
  }

  get hotkey(): string {
    return this.#parts.hotkey;
  }

  get peerId(): string {
    return this.#parts.identity.peerId;
  }

  get lie(): Lie | undefined {
    return this.#parts.lie;
  }

  get faults(): ChainFaults {
    return this.#port.faults;
  }

  get isUp(): boolean {
    return !this.#life.signal.aborted;
  }

  /** Whether it says that its clock is wrong. */
  get isClockOff(): boolean {
    return this.#monitor?.state.isOff ?? false;
  }

  /** Scores of its own for an epoch, if it came to any. */
  own(epoch: number): readonly NodeScore[] | undefined {
    return this.#own.get(epoch);
  }

  /** What its journal says about an epoch. */
  history(epoch: number): string {
    const recording = this.#journal.recording(epoch);
    if (recording === undefined) return "nothing";
    return replay(recording).map(({ at, event, vote, work, actions }) => {
      const block = "observation" in event ? event.observation.block : "";
      const what = [event.type, block, vote, work, ...actions].join(" ");
      return `${((at - GENESIS) / BLOCK).toFixed(2)} ${what}`;
    }).join("\n  ");
  }

  /** Notes whether anything keeps it from its work. */
  noteFine(): void {
    const { away, calls, late } = this.faults;
    const fine = this.isUp && away === 0 && calls === undefined &&
      late === 0 && !this.#parts.mesh.links.isCut(this.peerId);
    if (!fine) this.fineSince = undefined;
    else this.fineSince ??= this.#parts.clock.now();
  }

  /** Begins a life; what earlier ones wrote is still there. */
  start(): void {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { mesh, clock, random, lie } = this.#parts;
    this.bornAt = clock.now();
    this.lives++;
    mesh.links.up(this.peerId);
    this.#port.forget();
    const store = mesh.store(this.peerId);
    const records = lyingRecords(lie, store, clock, random);
    const heartbeat = this.#heartbeatOf(records, signal);
    const consensus = new Consensus(this.#consensusOf(records, signal));
    this.#heartbeat = heartbeat;
    const { clockTolerance: tolerance } = this;
    this.#monitor = new ClockMonitor({
      ...(tolerance === undefined ? {} : { tolerance }),
      clock: this.#clock,
      metrics: UNCOUNTED,
    });
    const watch = watchClock({
      rpc: { call: (peer) => mesh.ping(this.peerId, peer) },
      members: () => mesh.links.members(this.peerId),
      ...{ monitor: this.#monitor, clock: this.#clock },
    }, signal);
    const runs = [
      ...[heartbeat.run(signal), consensus.run(signal), watch],
      this.#join(heartbeat, consensus, signal),
    ];
    for (const run of runs) {
      const task: Promise<void> = run.finally(() => this.#tasks.delete(task));
      this.#tasks.add(task);
    }
    this.noteFine();
  }

  /** Ends a life at once. */
  kill(): void {
    if (!this.isUp) return;
    this.#parts.mesh.links.kill(this.peerId);
    this.#life.abort(new DOMException("It was killed.", "AbortError"));
    this.noteFine();
  }

  /** Ends a life in good order: the others are told. */
  async leave(): Promise<void> {
    if (!this.isUp) return;
    this.#life.abort(new DOMException("It leaves.", "AbortError"));
    this.noteFine();
    await this.#heartbeat?.farewell();
    if (!this.isUp) this.#parts.mesh.links.kill(this.peerId);
  }

  /** Ends the life right after so many more writes to the journal. */
  killAtWrite(count: number, then: () => void): void {
    this.#writes = count;
    this.#dieAtWrite = then;
  }

  /** Waits until nothing of it is left. */
  async end(): Promise<void> {
    this.kill();
    await Promise.all(this.#tasks);
  }

  /** As the node does: online, and poked, as soon as another one is there. */
  async #join(
    heartbeat: HeartbeatAnnouncer,
    consensus: Consensus,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      if (this.#isJoined()) {
        const early = this.onlineAt - this.#parts.clock.now();
        if (early > 0) await this.#clock.sleep(early, signal).catch(() => {});
        if (signal.aborted) return;
        heartbeat.setState("online");
        consensus.poke();
        return;
      }
      await this.#clock.sleep(JOIN_TICK, signal).catch(() => {});
    }
  }

  #isJoined(): boolean {
    return this.#parts.mesh.links.members(this.peerId).length > 0;
  }

  #heartbeatOf(
    records: ReturnType<typeof lyingRecords>,
    signal: AbortSignal,
  ): HeartbeatAnnouncer {
    return new HeartbeatAnnouncer({
      identity: this.#parts.identity,
      records,
      // Round-trip times are not looked at here.
      directory: new Directory({ ...records, get: none }, UNCOUNTED),
      pings: new PingAggregator({ ping: () => Promise.resolve(1) }),
      info: { role: "validator", throughput: 1 },
      period: PERIOD,
      memory: {
        recall: () => this.#presence,
        keep: (presence) => {
          // Only the farewell of who leaves is kept after the life's end.
          if (!signal.aborted || presence.left) this.#presence = presence;
        },
      },
      clock: this.#clock,
      metrics: UNCOUNTED,
    });
  }

  #consensusOf(
    records: ReturnType<typeof lyingRecords>,
    signal: AbortSignal,
  ): ConsensusOptions {
    const { identity, random, lie, id, sabotage } = this.#parts;
    const { chain, signer } = this.#port;
    const options: ConsensusOptions = {
      chain,
      subnetId: SUBNET,
      signer,
      directory: new Directory(records, UNCOUNTED),
      scorer: lie === "scores"
        ? {
          score: () =>
            Promise.resolve([{ nodeId: id, score: ONE + BigInt(id) }]),
        }
        : SCORER,
      work: {
        provider: { perform: ({ seed }) => Promise.resolve(seed) },
        records,
        identity,
        randomBytes: (size) => random.bytes(size),
      },
      journal: () => {
        const opened = this.#journal = this.#openJournal();
        const journal = watched(
          opened,
          signal,
          (what) => this.#written(what),
          ({ epoch, event }) => {
            if (event.type === "scored") {
              this.#own.set(event.epoch, event.scores);
            }
            this.#own.delete(epoch - 3);
            this.outcomes.delete(epoch - 3);
          },
        );
        return Promise.resolve({
          journal,
          isReplacement: false,
          [Symbol.dispose]: () => opened.close(),
        });
      },
      joined: () => this.#isJoined(),
      onReport: (report) => {
        if (report.kind === "outcome") this.outcomes.set(report.epoch, report);
      },
      clock: this.#clock,
      metrics: UNCOUNTED,
    };
    const changed = sabotage?.(options, this) ?? options;
    return {
      ...changed,
      signer: {
        ...changed.signer,
        attest: (subnetId, options) => {
          if (!signal.aborted) this.#checkAttestation();
          return changed.signer.attest(subnetId, options);
        },
      },
    };
  }

  #written(what: string): void {
    this.onWrite(what);
    if (this.#dieAtWrite === undefined || --this.#writes > 0) return;
    const then = this.#dieAtWrite;
    this.#dieAtWrite = undefined;
    this.diedAt.add(what);
    then();
  }

  #checkAttestation(): void {
    const { chain, violated, id } = this.#parts;
    const epoch = chain.epoch();
    const proposed = chain.submission(epoch)?.scores;
    const own = this.#own.get(epoch);
    const differences = proposed === undefined || own === undefined
      ? undefined
      : compareScores(proposed, own);
    if (differences?.length === 0) return;
    violated(`node ${id} attests epoch ${epoch}, which differs from its own`);
  }
}

const UNCOUNTED: Metrics = { count: () => {}, gauge: () => {} };
const none = () => Promise.resolve(undefined);
