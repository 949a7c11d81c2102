import {
  type Clock,
  compareScores,
  Consensus,
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
  type RecordStore,
  replay,
  RevealQualityScorer,
  type Scorer,
} from "../../mod.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { BLOCK, type ChainFaults, type SimChain } from "./sim_chain.ts";
import type { SimMesh } from "./sim_mesh.ts";

/** What a node does that it should not. */
export type Lie = "scores" | "copies" | "late" | "withholds";

const GENESIS = 1_700_000_000_000;
/** Seconds between heartbeats. */
const PERIOD = 50;

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
  /** Is told what must never be. */
  readonly violated: (what: string) => void;
}

/** A node of a simulation: the real driver and heartbeat, killed and started again. */
export class SimNode {
  readonly #parts: SimNodeParts;
  readonly #clock: Clock;
  readonly #port: ReturnType<SimChain["port"]>;
  readonly #journal = new MemoryJournal(3);
  readonly #tasks = new Set<Promise<void>>();
  /** Scores of its own, by epoch. */
  readonly #own = new Map<number, readonly NodeScore[]>();
  #presence: Presence | undefined;
  #life = new AbortController();
  #writes = 0;
  #dieAtWrite: (() => void) | undefined;
  /** Since when nothing keeps it from its work; absent while something does. */
  fineSince: number | undefined;
  /** Kinds of events at whose writing it was killed. */
  readonly diedAt = new Set<string>();
  /** How epochs ended for it. */
  readonly outcomes = new Map<number, ConsensusReport>();

  constructor(parts: SimNodeParts) {
    this.#parts = parts;
    const { clock, chain, hotkey, random, mesh, skew } = parts;
    this.#clock = {
      now: () => clock.now() + skew,
      sleep: (time, signal) => clock.sleep(time, signal),
    };
    this.#port = chain.port(hotkey, () => random.between(1, mesh.delay));
  }

  get id(): number {
    return this.#parts.id;
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
    const fine = this.isUp && !away && calls === undefined && late === 0 &&
      !this.#parts.mesh.cut.has(this.peerId);
    if (!fine) this.fineSince = undefined;
    else this.fineSince ??= this.#parts.clock.now();
  }

  /** Begins a life; what earlier ones wrote is still there. */
  start(): void {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { identity, mesh, random, lie, id } = this.#parts;
    mesh.down.delete(this.peerId);
    const records = this.#records();
    const heartbeat = new HeartbeatAnnouncer({
      identity,
      records,
      // Round-trip times are not looked at here.
      directory: new Directory({ ...records, get: none }, UNCOUNTED),
      pings: new PingAggregator({ ping: () => Promise.resolve(1) }),
      info: { role: "validator", throughput: 1 },
      period: PERIOD,
      memory: {
        recall: () => this.#presence,
        keep: (presence) => {
          if (!signal.aborted) this.#presence = presence;
        },
      },
      clock: this.#clock,
      metrics: UNCOUNTED,
    });
    heartbeat.setState("online");
    const { signer } = this.#port;
    const consensus = new Consensus({
      chain: this.#port.chain,
      subnetId: 1,
      signer: {
        ...signer,
        attest: (subnetId, options) => {
          if (!signal.aborted) this.#checkAttestation();
          return signer.attest(subnetId, options);
        },
      },
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
      journal: () =>
        Promise.resolve({
          journal: this.#probe(signal),
          isReplacement: false,
          [Symbol.dispose]: () => {},
        }),
      joined: () => mesh.joined(this.peerId),
      onReport: (report) => {
        if (report.kind === "outcome") this.outcomes.set(report.epoch, report);
      },
      clock: this.#clock,
      metrics: UNCOUNTED,
    });
    for (const run of [heartbeat.run(signal), consensus.run(signal)]) {
      const task: Promise<void> = run.finally(() => this.#tasks.delete(task));
      this.#tasks.add(task);
    }
    this.noteFine();
  }

  /** Ends a life at once. */
  kill(): void {
    if (!this.isUp) return;
    this.#parts.mesh.down.add(this.peerId);
    this.#life.abort(new DOMException("It was killed.", "AbortError"));
    this.noteFine();
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

  #probe(signal: AbortSignal): Journal {
    const journal = this.#journal;
    const after = (what: string) => {
      if (this.#dieAtWrite === undefined || --this.#writes > 0) return;
      const then = this.#dieAtWrite;
      this.#dieAtWrite = undefined;
      this.diedAt.add(what);
      then();
    };
    return {
      get state() {
        return journal.state;
      },
      record: (entry) => {
        if (signal.aborted) throw new Error("It is dead.");
        journal.record(entry);
        const { event } = entry;
        if (event.type === "scored") this.#own.set(event.epoch, event.scores);
        this.#own.delete(entry.epoch - 3);
        this.outcomes.delete(entry.epoch - 3);
        after(event.type === "block" ? entry.after.vote.name : event.type);
      },
      keepWork: (work) => {
        if (signal.aborted) throw new Error("It is dead.");
        journal.keepWork(work);
        after("work");
      },
      keep: (name, text) => {
        if (signal.aborted) throw new Error("It is dead.");
        journal.keep(name, text);
        after(name);
      },
      work: (epoch) => journal.work(epoch),
      kept: (name) => journal.kept(name),
      summaries: (most) => journal.summaries(most),
      recording: (epoch) => journal.recording(epoch),
      close: () => {},
    };
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

  /** Records as it uses them: with its lies. */
  #records(): RecordStore {
    const { mesh, clock, lie } = this.#parts;
    const store = mesh.store(this.peerId);
    return {
      get: (key, options) => store.get(key, options),
      store: async (request, options) => {
        const key = String(request.key);
        if (lie === "copies" && key.startsWith("commit")) {
          const found = await store.get(key, options);
          const other = found?.kind === "dictionary" && found.entries[0];
          if (other) {
            return store.store({ ...request, value: other.value }, options);
          }
        }
        if (key.startsWith("reveal")) {
          if (lie === "late") await clock.sleep(25_000);
          if (lie === "withholds") {
            return { stored: true, quorum: 1, replicas: [] };
          }
        }
        return store.store(request, options);
      },
    };
  }
}

const UNCOUNTED: Metrics = { count: () => {}, gauge: () => {} };
const none = () => Promise.resolve(undefined);
