import type { Chain } from "../chain/chain.ts";
import type { NodeScore, SubnetNodeInfo } from "../chain/types.ts";
import type { Clock } from "../core/clock.ts";
import { deadline, raceSignal } from "../core/deadline.ts";
import {
  type Evidence,
  type EvidenceLimits,
  type EvidenceReader,
  evidenceText,
  parseEvidence,
} from "./evidence.ts";
import type { Journal } from "./journal.ts";
import { withReasons } from "./likely_reason.ts";
import { type Moment, readMoment } from "./moment.ts";
import { type NodeWork, WorkJudge } from "./node_work.ts";
import type { Observation, QueueChange } from "./observation.ts";
import type { Observer } from "./observer.ts";
import { blockOfPart, type Phases } from "./phases.ts";
import type { QueuePolicy, Scorer } from "./scorer.ts";
import { canonicalScores, type ScoreDifference } from "./scores.ts";

/** Options of {@linkcode Scoring}. */
export interface ScoringOptions {
  /** The chain. */
  readonly chain: Chain;
  /** The subnet. */
  readonly subnetId: number;
  /** Knows the chain's constants. */
  readonly observer: Observer;
  /** Boundaries of the epoch. */
  readonly phases: Phases;
  /** Reads records. */
  readonly evidence: EvidenceReader;
  /** How nodes are scored. */
  readonly scorer: Scorer;
  /** What our proposals do to the queue. */
  readonly queue?: QueuePolicy | undefined;
  /** The time. */
  readonly clock: Clock;
}

/** What we would propose. */
export interface OwnProposal {
  /** Canonical. */
  readonly scores: readonly NodeScore[];
  /** What it does to the queue. */
  readonly queue: QueueChange;
}

/** What an epoch is scored by, on its way. */
interface Gathering {
  readonly epoch: number;
  readonly evidence: Promise<Evidence>;
  /** Makes what was found so far the evidence. */
  readonly enough: AbortController;
}

const SCORE_TIMEOUT = 30_000;
const EVIDENCE = "evidence";
/** Of the time until the cut-off, reads may take this part: the rest is for the calls. */
const READING = 0.5;
/** After so many blocks a read that too few answer is made again: what was sent may be lost. */
const AGAIN = 0.5;
/** For so many blocks slow replicas are waited for: what only they have, all others miss. */
const PATIENCE = 0.25;

/** Gathers evidence, and scores by it. */
export class Scoring {
  readonly #options: ScoringOptions;
  readonly #judge = new WorkJudge();
  #evidence: Evidence | undefined;
  #gathering: Gathering | undefined;
  #nodes: readonly SubnetNodeInfo[] = [];

  /** Knows nothing yet. */
  constructor(options: ScoringOptions) {
    this.#options = options;
  }

  /** Gathers what an epoch is scored by. */
  async prepare(
    epoch: number,
    journal: Journal,
    parent: AbortSignal,
  ): Promise<void> {
    using limit = deadline(SCORE_TIMEOUT, parent);
    await this.#gather(epoch, journal, limit.signal).evidence;
  }

  /**
   * Scores an epoch; `only` names nodes whose records are read anew before.
   * When half of the time until the cut-off is over, what was found by then
   * decides: an epoch is not missed for what is still to be heard.
   */
  async score(
    epoch: number,
    only: readonly number[] | undefined,
    seen: Observation,
    journal: Journal,
    parent: AbortSignal,
  ): Promise<OwnProposal> {
    const { chain, subnetId, scorer, queue } = this.#options;
    using limit = deadline(SCORE_TIMEOUT, parent);
    const { signal } = limit;
    using enough = await this.#enoughAt(seen, signal);
    const view = await chain.view(undefined, { signal });
    const [nodes, previous] = await Promise.all([
      view.nodes(subnetId, { signal }),
      epoch === 0
        ? undefined
        : view.submission(subnetId, epoch - 1, { signal }),
    ]);
    this.#nodes = nodes;
    const patience = await this.#patience(signal);
    const limits = { signal, enough: enough.signal, patience };
    const evidence = await this.#evidenceOf(epoch, only, journal, limits);
    const context = {
      epoch,
      cutOff: evidence.cutOff,
      heardUntil: evidence.heardUntil,
      nodes,
      live: [...evidence.live.values()],
      work: this.#workOf(evidence),
      previous: previous?.scores,
      signal,
    };
    return {
      scores: canonicalScores(await scorer.score(context)),
      queue: await queue?.propose?.(context) ?? {},
    };
  }

  /** Differences, each with its likely reason. */
  explain(differences: readonly ScoreDifference[]): ScoreDifference[] {
    const evidence = this.#evidence;
    if (evidence === undefined) return [...differences];
    const work = this.#workOf(evidence);
    return withReasons(differences, { evidence, work, nodes: this.#nodes });
  }

  /** What nodes did in the epoch before. */
  #workOf({ epoch, commits, reveals }: Evidence): NodeWork[] {
    return this.#judge.judge(epoch - 1, commits, reveals);
  }

  /** Aborted when what was read is enough; dispose it when nothing is read any more. */
  async #enoughAt(
    { position }: Observation,
    parent: AbortSignal,
  ): Promise<{ readonly signal: AbortSignal } & Disposable> {
    const { observer, phases, clock } = this.#options;
    const { blockMilliseconds } = await observer.constants(parent);
    const length = position.elapsed + position.remaining;
    const left = blockOfPart(phases.cutOff, length) - position.elapsed;
    const enough = new AbortController();
    const over = new AbortController();
    clock.sleep(READING * Math.max(1, left) * blockMilliseconds, over.signal)
      .then(() => enough.abort(), () => {});
    return {
      signal: enough.signal,
      [Symbol.dispose]: () => over.abort(),
    };
  }

  async #evidenceOf(
    epoch: number,
    only: readonly number[] | undefined,
    journal: Journal,
    limits: EvidenceLimits,
  ): Promise<Evidence> {
    const known = this.#evidence;
    if (known?.epoch !== epoch) {
      const evidence = await this.#gathered(epoch, journal, limits);
      return await this.#whole(evidence, journal, limits);
    }
    // What the first look missed, because it was on its way, a second one finds.
    const peers = only && this.#nodes.filter(({ id }) => only.includes(id))
      .map(({ peer }) => peer.peerId);
    if (peers?.length === 0) return known;
    const evidence = await this.#options.evidence.again(known, peers, limits);
    // After a restart the same would be read again: it need not be kept.
    this.#evidence = evidence;
    return await this.#whole(evidence, journal, limits);
  }

  /** Reads again what too few replicas were heard of, as long as there is time. */
  async #whole(
    evidence: Evidence,
    journal: Journal,
    limits: EvidenceLimits,
  ): Promise<Evidence> {
    const { signal, enough, patience } = limits;
    const { observer, clock, evidence: reader } = this.#options;
    const { blockMilliseconds } = await observer.constants(signal);
    while (!evidence.isWhole && !enough.aborted) {
      const turn = new AbortController();
      const heard = new AbortController();
      const over = AbortSignal.any([signal, enough, heard.signal]);
      const pause = clock.sleep(AGAIN * blockMilliseconds, over)
        .catch(() => {}).finally(() => turn.abort());
      evidence = this.#take(
        await reader.again(evidence, undefined, {
          ...{ signal, patience },
          enough: turn.signal,
        }),
        journal,
      );
      if (evidence.isWhole) heard.abort();
      await pause;
      signal.throwIfAborted();
    }
    return evidence;
  }

  /** What is being gathered already, or else what is gathered now. */
  async #gathered(
    epoch: number,
    journal: Journal,
    limits: Pick<EvidenceLimits, "signal" | "enough">,
  ): Promise<Evidence> {
    const { signal, enough } = limits;
    const early = this.#gathering;
    const gathering = early?.epoch === epoch
      ? early
      : this.#gather(epoch, journal, signal);
    const suffice = () => gathering.enough.abort();
    if (enough.aborted) suffice();
    enough.addEventListener("abort", suffice, { once: true });
    try {
      return await raceSignal(gathering.evidence, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (gathering !== early) throw error;
    } finally {
      enough.removeEventListener("abort", suffice);
    }
    return await this.#gathered(epoch, journal, limits);
  }

  #gather(epoch: number, journal: Journal, signal: AbortSignal): Gathering {
    const enough = new AbortController();
    const limits = { signal, enough: enough.signal };
    const evidence = this.#read(epoch, journal, limits).finally(() => {
      if (this.#gathering === gathering) this.#gathering = undefined;
    });
    const gathering = { epoch, evidence, enough };
    this.#gathering = gathering;
    return gathering;
  }

  async #read(
    epoch: number,
    journal: Journal,
    limits: Pick<EvidenceLimits, "signal" | "enough">,
  ): Promise<Evidence> {
    const kept = parseEvidence(journal.kept(EVIDENCE), epoch);
    const evidence = await this.#options.evidence.gather(
      epoch,
      kept ?? await this.#moment(epoch, limits.signal),
      kept,
      { ...limits, patience: await this.#patience(limits.signal) },
    );
    return kept === undefined ? this.#take(evidence, journal) : (
      this.#evidence = evidence
    );
  }

  #take(evidence: Evidence, journal: Journal): Evidence {
    journal.keep(EVIDENCE, evidenceText(evidence));
    this.#evidence = evidence;
    return evidence;
  }

  async #patience(signal: AbortSignal): Promise<number> {
    const { observer } = this.#options;
    return PATIENCE * (await observer.constants(signal)).blockMilliseconds;
  }

  async #moment(epoch: number, signal: AbortSignal): Promise<Moment> {
    const { chain, subnetId, observer, phases } = this.#options;
    const constants = await observer.constants(signal);
    return await readMoment(
      { chain, subnetId, constants, phases },
      epoch,
      signal,
    );
  }
}
