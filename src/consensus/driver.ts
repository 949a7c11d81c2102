import type { Chain, ChainSigner } from "../chain/chain.ts";
import { epochPosition, firstBlockOf, networkEpoch } from "../chain/epoch.ts";
import { ChainCallError, ChainSubmitError } from "../chain/errors.ts";
import type { BlockRef } from "../chain/types.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { Directory } from "../heartbeat/directory.ts";
import {
  type Action,
  type ConsensusReport,
  type Event,
  INITIAL_STATE,
  MACHINE_RULES,
  type MachineRules,
  type Observation,
  type State,
  step,
} from "./machine.ts";
import { PresenceScorer, type Scorer } from "./scorer.ts";
import { canonicalScores } from "./scores.ts";

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
  /** Deadlines other than {@linkcode MACHINE_RULES}. */
  readonly rules?: Partial<MachineRules>;
  /** Is told what happens. */
  readonly onReport?: (report: ConsensusReport) => void;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

const READ_TIMEOUT = 10_000;
const SCORE_TIMEOUT = 30_000;
const CALL_TIMEOUT = 60_000;
const RETRY_PAUSE = 1_000;

/** Runs the epoch's state machine against the chain and the mesh. */
export class Consensus {
  readonly #options: ConsensusOptions;
  readonly #rules: MachineRules;
  readonly #scorer: Scorer;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #log = loggerOf("consensus");
  readonly #tasks = new Set<Promise<void>>();
  #state: State = INITIAL_STATE;
  #seen: Observation | undefined;
  #signal: AbortSignal = AbortSignal.abort();

  /** Does nothing before {@linkcode Consensus.run}. */
  constructor(options: ConsensusOptions) {
    this.#options = options;
    this.#rules = { ...MACHINE_RULES, ...options.rules };
    this.#scorer = options.scorer ?? new PresenceScorer();
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
  }

  /** The machine's present state. */
  get state(): State {
    return this.#state;
  }

  /** Takes part in every epoch until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    while (!signal.aborted) {
      try {
        for await (const head of this.#options.chain.heads(signal)) {
          await this.#look(head);
        }
      } catch (error) {
        if (!signal.aborted) this.#failed("heads", error);
      }
      if (signal.aborted) break;
      await this.#clock.sleep(RETRY_PAUSE, signal).catch(() => {});
    }
    await Promise.all(this.#tasks);
  }

  async #look(head: BlockRef): Promise<void> {
    let observation: Observation;
    try {
      observation = await this.#observe(head);
    } catch (error) {
      // The next block is another chance.
      if (!this.#signal.aborted) this.#failed("read", error);
      return;
    }
    this.#seen = observation;
    this.#dispatch({ type: "block", observation });
  }

  /** Everything at one block. */
  async #observe(head: BlockRef): Promise<Observation> {
    const { chain, subnetId, signer } = this.#options;
    using limit = deadline(READ_TIMEOUT, this.#signal);
    const options = { signal: limit.signal };
    const { epochLength } = await chain.constants(options);
    const view = await chain.view(head, options);
    const subnet = await view.subnet(subnetId, options);
    const slot = subnet?.slot;
    const position = epochPosition(head.number, slot ?? 0, epochLength);
    const active = subnet?.state === "active" && slot !== undefined &&
      networkEpoch(head.number, epochLength) >= subnet.startEpoch;
    const [node, elected, submission, attestors] = await Promise.all([
      view.nodeOfHotkey(subnetId, signer.hotkey, options),
      view.electedValidator(subnetId, position.epoch, options),
      view.submission(subnetId, position.epoch, options),
      view.attestors(subnetId, options),
    ]);
    return {
      block: head.number,
      active,
      position,
      node,
      elected,
      submission,
      attestors,
    };
  }

  #dispatch(event: Event): void {
    const { state, actions } = step(this.#state, event, this.#rules);
    this.#state = state;
    for (const action of actions) this.#act(action);
  }

  #act(action: Action): void {
    if (action.type === "report") return this.#report(action.report);
    const work = action.type === "score"
      ? this.#score(action.epoch)
      : this.#send(action);
    const task = work.finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #score(epoch: number): Promise<void> {
    const { chain, subnetId, directory } = this.#options;
    try {
      using limit = deadline(SCORE_TIMEOUT, this.#signal);
      const { signal } = limit;
      const { epochLength, blockMilliseconds } = await chain.constants({
        signal,
      });
      const view = await chain.view(undefined, { signal });
      const [time, subnet, nodes, live] = await Promise.all([
        view.time({ signal }),
        view.subnet(subnetId, { signal }),
        view.nodes(subnetId, { signal }),
        directory.read({ signal }),
      ]);
      const first = firstBlockOf(epoch, subnet?.slot ?? 0, epochLength);
      const ago = (view.block.number - first) * blockMilliseconds;
      const cutOff = (time - ago) / 1_000;
      const scores = canonicalScores(
        await this.#scorer.score({ epoch, cutOff, nodes, live, signal }),
      );
      const observation = this.#seen;
      if (observation === undefined) return;
      this.#dispatch({ type: "scored", epoch, scores, observation });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed("score", error);
      this.#dispatch({ type: "scoring-failed", epoch });
    }
  }

  async #send(
    action: Extract<Action, { type: "propose" | "attest" }>,
  ): Promise<void> {
    const { signer, subnetId } = this.#options;
    const { epoch } = action;
    const { block, position } = this.#seen as Observation;
    try {
      using limit = deadline(CALL_TIMEOUT, this.#signal);
      // Never after the epoch's end: there it would be another epoch's.
      const options = {
        signal: limit.signal,
        notAfter: block + position.remaining - 1,
      };
      if (action.type === "attest") await signer.attest(subnetId, options);
      else {
        await signer.propose({ subnetId, scores: action.scores }, options);
      }
      this.#metrics.count("meshnode_consensus_calls_total", {
        call: action.type,
      });
      this.#dispatch({ type: "sent", epoch });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed(action.type, error);
      this.#dispatch({
        type: "sending-failed",
        epoch,
        block: this.#seen?.block ?? block,
        final: isFinal(error),
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #report(report: ConsensusReport): void {
    if (report.kind === "waiting") {
      this.#log.info("Waiting: {reason}.", { reason: report.reason });
    } else if (report.kind === "outcome") {
      const { epoch, outcome } = report;
      this.#metrics.count("meshnode_consensus_epochs_total", { outcome });
      this.#log.info("Epoch {epoch}: {outcome}{reason}", {
        epoch,
        outcome,
        reason: report.reason === undefined ? "" : ` (${report.reason})`,
      });
      for (const { nodeId, proposed, own } of report.differences ?? []) {
        this.#log.warn(
          "Epoch {epoch}: node {nodeId} is proposed with {proposed}, and we have {own}.",
          { epoch, nodeId, proposed: proposed ?? "none", own: own ?? "none" },
        );
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
