import type { Chain, ChainSigner } from "../chain/chain.ts";
import { ChainCallError, ChainSubmitError } from "../chain/errors.ts";
import type { BlockRef } from "../chain/types.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";
import type { Directory } from "../heartbeat/directory.ts";
import { EvidenceReader } from "./evidence.ts";
import type { Journal } from "./journal.ts";
import type { OpenJournal } from "./journal_folder.ts";
import {
  type Action,
  type Event,
  INITIAL_STATE,
  type State,
  step,
} from "./machine.ts";
import { MemoryJournal } from "./memory_journal.ts";
import type { Observation } from "./observation.ts";
import { Observer } from "./observer.ts";
import { checkPhases } from "./phases.ts";
import { PresenceScorer } from "./presence_scorer.ts";
import { type ConsensusReport, differenceText } from "./report.ts";
import { MACHINE_RULES, type MachineRules } from "./rules.ts";
import type { QueuePolicy, Scorer } from "./scorer.ts";
import { Scoring } from "./scoring.ts";
import { Worker, type WorkOptions } from "./worker.ts";

/** Options of {@linkcode Consensus}. */
export interface ConsensusOptions {
  /** The chain. */
  readonly chain: Chain;
  /** Signs for our node. */
  readonly signer: ChainSigner;
  /** The subnet. */
  readonly subnetId: number;
  /** Who is alive. */
  readonly directory: Pick<Directory, "read">;
  /** How nodes are scored; by presence by default. */
  readonly scorer?: Scorer;
  /** The subnet's work; without it there is nothing to commit to. */
  readonly work?: WorkOptions;
  /** What to do with the queue; without one it is left alone, and changes of it are refused. */
  readonly queue?: QueuePolicy;
  /** Rules other than {@linkcode MACHINE_RULES}. */
  readonly rules?: Partial<Omit<MachineRules, "work">>;
  /** Opens the journal; in memory by default, so that a restart begins anew. */
  readonly journal?: (signal: AbortSignal) => Promise<OpenJournal>;
  /** Whether our node is connected to the mesh; always by default. */
  readonly joined?: () => boolean;
  /** Is told what happens. */
  readonly onReport?: (report: ConsensusReport) => void;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

const CALL_TIMEOUT = 60_000;
const RETRY_PAUSE = 1_000;

type Sending = Extract<Action, { type: "propose" | "attest" }>;

/** Runs the epoch's state machine against the chain and the mesh. */
export class Consensus {
  readonly #options: ConsensusOptions;
  readonly #rules: MachineRules;
  readonly #observer: Observer;
  readonly #scoring: Scoring;
  readonly #worker: Worker | undefined;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #log = loggerOf("consensus");
  readonly #tasks = new Tasks((error) => this.#failed("go on", error));
  #journal: Journal = new MemoryJournal();
  #state: State = INITIAL_STATE;
  #resuming = false;
  #hurrying = false;
  #seen: Observation | undefined;
  #signal: AbortSignal = AbortSignal.abort();

  /** Does nothing before {@linkcode Consensus.run}. @throws {MeshError} `PHASES_INVALID` */
  constructor(options: ConsensusOptions) {
    const { chain, signer, subnetId, directory, work, queue } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
    this.#rules = {
      ...MACHINE_RULES,
      ...options.rules,
      work: work !== undefined,
    };
    const phases = checkPhases(this.#rules.phases);
    this.#observer = new Observer({
      ...{ chain, signer, subnetId, phases, queue },
      joined: options.joined ?? (() => true),
    });
    this.#scoring = new Scoring({
      ...{ chain, subnetId, observer: this.#observer, phases, queue },
      evidence: new EvidenceReader(directory, work?.records),
      scorer: options.scorer ?? new PresenceScorer(),
      clock: this.#clock,
    });
    this.#worker = work &&
      new Worker(work, subnetId, this.#observer, phases, this.#clock);
  }

  /** The machine's present state. */
  get state(): State {
    return this.#state;
  }

  /** Takes part in every epoch until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    using _opened = await this.#open();
    this.#state = this.#journal.state ?? INITIAL_STATE;
    this.#resuming = this.#journal.state !== undefined;
    while (!signal.aborted) {
      try {
        for await (const head of this.#options.chain.heads(signal)) {
          await this.#look(head);
        }
      } catch (error) {
        // A block that could not be read is read again, not waited out.
        if (!signal.aborted) this.#failed("read", error);
      }
      if (signal.aborted) break;
      await this.#clock.sleep(RETRY_PAUSE, signal).catch(() => {});
    }
    await this.#tasks.settled();
  }

  /** Looks at once, instead of with the next block: the node has joined the mesh. */
  poke(): void {
    if (this.#seen === undefined || this.#signal.aborted) return;
    this.#tasks.own(this.#lookAtHead());
  }

  async #open(): Promise<Disposable> {
    const { journal } = this.#options;
    try {
      const opened = await journal?.(this.#signal);
      this.#journal = opened?.journal ?? new MemoryJournal();
      return { [Symbol.dispose]: () => opened?.[Symbol.dispose]() };
    } catch (error) {
      // Better to vote without a memory than not at all: the chain has one.
      if (!this.#signal.aborted) this.#failed("journal", error);
      this.#journal = new MemoryJournal();
      return { [Symbol.dispose]: () => {} };
    }
  }

  async #lookAtHead(): Promise<void> {
    try {
      const { chain } = this.#options;
      await this.#look(await chain.head({ signal: this.#signal }));
    } catch (error) {
      if (!this.#signal.aborted) this.#failed("read", error);
    }
  }

  async #look(head: BlockRef): Promise<void> {
    const observation = await this.#observer.observe(head, this.#signal);
    // Two looks may overtake each other.
    if (observation.block < (this.#seen?.block ?? 0)) return;
    this.#seen = observation;
    if (this.#resuming) {
      this.#resuming = false;
      this.#dispatch({ type: "resumed", block: observation.block });
    }
    this.#dispatch({ type: "block", observation });
    this.#hurry();
  }

  /** What is to be published, and nobody has yet, does not wait for the next block. */
  #hurry(): void {
    const { work } = this.#state;
    if (work.name !== "committing" && work.name !== "revealing") return;
    if (work.asked || work.stored || this.#hurrying) return;
    this.#hurrying = true;
    this.#tasks.own(
      this.#clock.sleep(RETRY_PAUSE, this.#signal)
        .finally(() => this.#hurrying = false)
        .then(() => this.#lookAtHead(), () => {}),
    );
  }

  /** Records what follows, and only then does it. */
  #dispatch(event: Event): void {
    const before = this.#state;
    const { state: after, actions } = step(before, event, this.#rules);
    if (after === before && actions.length === 0) return;
    const reports = actions.flatMap((action) =>
      action.type === "report" ? [this.#explained(action.report)] : []
    );
    try {
      this.#journal.record({
        epoch: this.#seen?.position.epoch ?? 0,
        at: this.#clock.now(),
        rules: this.#rules,
        ...{ event, before, after, reports },
      });
    } catch (error) {
      this.#failed("record", error);
      // What must not be forgotten must not be done.
      if (actions.some(({ type }) => type !== "report")) return;
    }
    this.#state = after;
    for (const report of reports) this.#report(report);
    for (const action of actions) this.#act(action);
  }

  #act(action: Action): void {
    switch (action.type) {
      case "report":
        return;
      case "prepare":
        return this.#tasks.own(this.#prepare(action.epoch));
      case "score":
        return this.#tasks.own(this.#score(action));
      case "propose":
      case "attest":
        return this.#tasks.own(this.#send(action));
      case "perform":
        return this.#tasks.own(this.#perform(action.epoch));
      case "publish":
        return this.#tasks.own(this.#publish(action.epoch, action.what));
    }
  }

  async #prepare(epoch: number): Promise<void> {
    try {
      await this.#scoring.prepare(epoch, this.#journal, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed("prepare", error);
      this.#dispatch({ type: "preparing-failed", epoch });
    }
  }

  async #score(
    { epoch, only }: Extract<Action, { type: "score" }>,
  ): Promise<void> {
    try {
      const own = await this.#scoring.score(
        ...[epoch, only, this.#seen as Observation] as const,
        ...[this.#journal, this.#signal] as const,
      );
      const observation = this.#seen as Observation;
      this.#dispatch({ type: "scored", epoch, ...own, observation });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed("score", error);
      const reason = messageOf(error);
      this.#dispatch({ type: "scoring-failed", epoch, reason });
    }
  }

  async #send(action: Sending): Promise<void> {
    const { epoch } = action;
    const { block, position } = this.#seen as Observation;
    try {
      using limit = deadline(CALL_TIMEOUT, this.#signal);
      // Never after the epoch's end: there it would be another epoch's.
      const receipt = await this.#call(action, {
        signal: limit.signal,
        notAfter: block + position.remaining - 1,
      });
      this.#metrics.count("meshnode_consensus_calls_total", {
        call: action.type,
      });
      this.#dispatch({ type: "sent", epoch, block: receipt.block.number });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed(action.type, error);
      this.#dispatch({
        type: "sending-failed",
        epoch,
        block: this.#seen?.block ?? block,
        final: isFinal(error),
        reason: messageOf(error),
      });
    }
  }

  #call(
    action: Sending,
    options: { readonly signal: AbortSignal; readonly notAfter: number },
  ) {
    const { signer, subnetId } = this.#options;
    if (action.type === "attest") return signer.attest(subnetId, options);
    const { scores, queue: { prioritize, remove } } = action;
    return signer.propose({
      subnetId,
      scores,
      ...(prioritize === undefined
        ? {}
        : { prioritizeQueueNodeId: prioritize }),
      ...(remove === undefined ? {} : { removeQueueNodeId: remove }),
    }, options);
  }

  async #perform(epoch: number): Promise<void> {
    const seen = this.#seen as Observation;
    try {
      await this.#worker?.perform(epoch, seen, this.#journal, this.#signal);
      const observation = this.#seen as Observation;
      this.#dispatch({ type: "performed", epoch, observation });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed("perform", error);
      const reason = messageOf(error);
      this.#dispatch({ type: "performing-failed", epoch, reason });
    }
  }

  async #publish(epoch: number, what: "commit" | "reveal"): Promise<void> {
    let published = { stored: false, complete: false };
    try {
      published = await this.#worker?.publish(
        ...[epoch, what, this.#journal, this.#signal] as const,
      ) ?? published;
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed(what, error);
    }
    this.#dispatch({ type: "published", epoch, what, ...published });
    this.#hurry();
  }

  #explained(report: ConsensusReport): ConsensusReport {
    if (report.kind !== "outcome" || report.differences === undefined) {
      return report;
    }
    const differences = this.#scoring.explain(report.differences);
    return { ...report, differences };
  }

  #report(report: ConsensusReport): void {
    switch (report.kind) {
      case "life":
        this.#log.info("{text}.", { text: report.text });
        break;
      case "waiting":
        this.#log.info("Waiting: {reason}.", { reason: report.reason });
        break;
      case "work":
      case "outcome": {
        const { kind, epoch, outcome, reason } = report;
        this.#metrics.count(
          kind === "work"
            ? "meshnode_consensus_work_total"
            : "meshnode_consensus_epochs_total",
          { outcome },
        );
        this.#log.info("Epoch {epoch}: {outcome}{reason}", {
          ...{ epoch, outcome },
          reason: reason === undefined ? "" : ` (${reason})`,
        });
      }
    }
    if (report.kind === "outcome") {
      for (const each of report.differences ?? []) {
        this.#log.warn("Epoch {epoch}: {difference}.", {
          epoch: report.epoch,
          difference: differenceText(each),
        });
      }
    }
    try {
      this.#options.onReport?.(report);
    } catch (error) {
      this.#failed("report", error);
    }
  }

  #failed(what: string, error: unknown): void {
    this.#metrics.count("meshnode_consensus_failures_total", { what });
    this.#log.warn("Could not {what}: {error}", { what, error });
  }
}

/** Errors that another attempt in this epoch would only repeat. */
const FINAL: ReadonlySet<string> = new Set([
  "InvalidValidator",
  "InvalidHotkeySubnetNodeId",
  "InvalidSubnetNodeClassification",
  "InvalidSubnetNodeId",
  "InvalidEmergencySubnetNodeId",
  "ScoreOverflow",
  "Paused",
]);

function isFinal(error: unknown): boolean {
  if (error instanceof ChainCallError) return FINAL.has(error.chainError);
  return error instanceof ChainSubmitError && error.remedy === "stop";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
