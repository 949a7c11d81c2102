import type { Chain } from "../chain/chain.ts";
import { firstBlockOf } from "../chain/epoch.ts";
import type { NodeScore, SubnetNodeInfo } from "../chain/types.ts";
import { deadline } from "../core/deadline.ts";
import {
  type Evidence,
  type EvidenceReader,
  evidenceText,
  likelyReason,
  parseEvidence,
  workOf,
} from "./evidence.ts";
import type { Journal } from "./journal.ts";
import type { QueueChange } from "./observation.ts";
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
}

/** What we would propose. */
export interface OwnProposal {
  /** Canonical. */
  readonly scores: readonly NodeScore[];
  /** What it does to the queue. */
  readonly queue: QueueChange;
}

const SCORE_TIMEOUT = 30_000;
const EVIDENCE = "evidence";

/** Gathers evidence, and scores by it. */
export class Scoring {
  readonly #options: ScoringOptions;
  #evidence: Evidence | undefined;
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
    await this.#gather(epoch, journal, limit.signal);
  }

  /** Scores an epoch; `only` names nodes whose records are read anew before. */
  async score(
    epoch: number,
    only: readonly number[] | undefined,
    journal: Journal,
    parent: AbortSignal,
  ): Promise<OwnProposal> {
    const { chain, subnetId, scorer, queue } = this.#options;
    using limit = deadline(SCORE_TIMEOUT, parent);
    const { signal } = limit;
    const view = await chain.view(undefined, { signal });
    const [nodes, previous] = await Promise.all([
      view.nodes(subnetId, { signal }),
      epoch === 0
        ? undefined
        : view.submission(subnetId, epoch - 1, { signal }),
    ]);
    this.#nodes = nodes;
    const evidence = await this.#evidenceOf(epoch, only, journal, signal);
    const context = {
      epoch,
      cutOff: evidence.cutOff,
      nodes,
      live: [...evidence.live.values()],
      work: workOf(evidence),
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
    return differences.map((each) => ({
      ...each,
      ...(evidence === undefined
        ? {}
        : { reason: likelyReason(each, evidence, this.#nodes) }),
    }));
  }

  async #evidenceOf(
    epoch: number,
    only: readonly number[] | undefined,
    journal: Journal,
    signal: AbortSignal,
  ): Promise<Evidence> {
    const known = this.#evidence;
    if (known?.epoch !== epoch) return this.#gather(epoch, journal, signal);
    // What the first look missed, because it was on its way, a second one finds.
    const peers = only && this.#nodes.filter(({ id }) => only.includes(id))
      .map(({ peer }) => peer.peerId);
    if (peers?.length === 0) return known;
    const evidence = await this.#options.evidence.again(known, peers, signal);
    return this.#take(evidence, journal);
  }

  async #gather(
    epoch: number,
    journal: Journal,
    signal: AbortSignal,
  ): Promise<Evidence> {
    const kept = parseEvidence(journal.kept(EVIDENCE), epoch);
    const evidence = await this.#options.evidence.gather(
      epoch,
      kept?.cutOff ?? await this.#cutOff(epoch, signal),
      kept?.live,
      signal,
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

  /** DHT time of the block in which scoring for an epoch begins. */
  async #cutOff(epoch: number, signal: AbortSignal): Promise<number> {
    const { chain, subnetId, observer, phases } = this.#options;
    const { epochLength, blockMilliseconds } = await observer.constants(signal);
    const view = await chain.view(undefined, { signal });
    const slot = (await view.subnet(subnetId, { signal }))?.slot ?? 0;
    // Before the first epoch there is none whose scoring phase could count.
    const block = epoch === 0
      ? firstBlockOf(0, slot, epochLength)
      : firstBlockOf(epoch - 1, slot, epochLength) +
        blockOfPart(phases.score, epochLength);
    const at = await chain.blockAt?.(block, { signal });
    if (at !== undefined) {
      return await (await chain.view(at, { signal })).time({ signal }) / 1_000;
    }
    const ago = (view.block.number - block) * blockMilliseconds;
    return (await view.time({ signal }) - ago) / 1_000;
  }
}
