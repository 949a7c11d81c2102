import type { Chain, ChainSigner, ChainView } from "../chain/chain.ts";
import { epochPosition, networkEpoch } from "../chain/epoch.ts";
import type {
  BlockRef,
  ChainConstants,
  ConsensusSubmission,
  SubnetInfo,
} from "../chain/types.ts";
import { deadline } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import type {
  Observation,
  ObservedSubmission,
  SubnetStanding,
} from "./observation.ts";
import { checkPhases, phaseAt, type Phases } from "./phases.ts";
import type { QueuePolicy } from "./scorer.ts";

/** Options of {@linkcode Observer}. */
export interface ObserverOptions {
  /** The chain. */
  readonly chain: Chain;
  /** Whose node is ours. */
  readonly signer: Pick<ChainSigner, "hotkey">;
  /** The subnet. */
  readonly subnetId: number;
  /** Boundaries of the epoch. */
  readonly phases: Phases;
  /** Judges changes of the queue; without one they are refused. */
  readonly queue?: QueuePolicy | undefined;
  /** Whether our node is connected to the mesh. */
  readonly joined: () => boolean;
}

/** How long all reads of one block may take together, ms. */
const READ_TIMEOUT = 10_000;

/** Reads what the chain says at a block. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #log = loggerOf("consensus");
  #constants: ChainConstants | undefined;
  /** Block at which our node was seen connected, and has been since. */
  #joinedAt = Infinity;
  #judged: { readonly key: string; readonly accepted: boolean } | undefined;

  /** Reads nothing yet. */
  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** What never changes. @throws {ChainUnreadableError} | {MeshError} `PHASES_INVALID` */
  async constants(signal: AbortSignal): Promise<ChainConstants> {
    if (this.#constants === undefined) {
      const constants = await this.#options.chain.constants({ signal });
      checkPhases(this.#options.phases, constants.epochLength);
      this.#constants = constants;
    }
    return this.#constants;
  }

  /** Everything at one block. @throws {ChainUnreadableError} */
  async observe(head: BlockRef, parent: AbortSignal): Promise<Observation> {
    const { chain, subnetId, signer, phases } = this.#options;
    using limit = deadline(READ_TIMEOUT, parent);
    const { signal } = limit;
    const { epochLength } = await this.constants(signal);
    const view = await chain.view(head, { signal });
    const subnet = await view.subnet(subnetId, { signal });
    const position = epochPosition(
      head.number,
      subnet?.slot ?? 0,
      epochLength,
    );
    const [node, elected, submission, attestors] = await Promise.all([
      view.nodeOfHotkey(subnetId, signer.hotkey, { signal }),
      view.electedValidator(subnetId, position.epoch, { signal }),
      view.submission(subnetId, position.epoch, { signal }),
      view.attestors(subnetId, { signal }),
    ]);
    const joined = this.#options.joined();
    this.#joinedAt = joined ? Math.min(this.#joinedAt, head.number) : Infinity;
    const settled = this.#joinedAt < head.number;
    return {
      block: head.number,
      subnet: standing(subnet, head.number, epochLength),
      position,
      phase: phaseAt(position, phases),
      joined,
      settled,
      ...(node === undefined ? {} : {
        node: {
          id: node.id,
          nodeClass: node.nodeClass,
          startEpoch: node.startEpoch,
        },
      }),
      ...(elected === undefined ? {} : { elected }),
      ...(submission === undefined ? {} : {
        submission: await this.#submission(
          submission,
          node?.id,
          `${position.epoch}`,
          view,
          signal,
        ),
      }),
      mayAttest: node !== undefined && attestors.includes(node.id),
    };
  }

  async #submission(
    submission: ConsensusSubmission,
    ownId: number | undefined,
    epoch: string,
    view: ChainView,
    signal: AbortSignal,
  ): Promise<ObservedSubmission> {
    const { validatorId, attestations, scores } = submission;
    return {
      validatorId,
      attested: ownId !== undefined && attestations.has(ownId),
      scores,
      queue: await this.#judge(submission, epoch, view, signal),
    };
  }

  /** Asks the policy, once for each proposal. */
  async #judge(
    { prioritizeQueueNodeId, removeQueueNodeId }: ConsensusSubmission,
    epoch: string,
    view: ChainView,
    signal: AbortSignal,
  ): Promise<ObservedSubmission["queue"]> {
    if (
      prioritizeQueueNodeId === undefined && removeQueueNodeId === undefined
    ) {
      return "unchanged";
    }
    const key = [epoch, prioritizeQueueNodeId, removeQueueNodeId].join();
    if (this.#judged?.key !== key) {
      const { queue, subnetId } = this.#options;
      const nodes = await view.nodes(subnetId, { signal });
      const change = {
        ...(prioritizeQueueNodeId === undefined
          ? {}
          : { prioritize: prioritizeQueueNodeId }),
        ...(removeQueueNodeId === undefined
          ? {}
          : { remove: removeQueueNodeId }),
      };
      let accepted = false;
      try {
        accepted = await queue?.accepts?.(change, nodes, signal) === true;
      } catch (error) {
        signal.throwIfAborted();
        this.#log.error(
          "The subnet's queue policy failed, so the change is refused: {error}",
          { error },
        );
      }
      this.#judged = { key, accepted };
    }
    return this.#judged.accepted ? "accepted" : "refused";
  }
}

function standing(
  subnet: SubnetInfo | undefined,
  block: number,
  epochLength: number,
): SubnetStanding {
  if (subnet === undefined) return "missing";
  if (subnet.state !== "active") return subnet.state;
  const begun = subnet.slot !== undefined &&
    networkEpoch(block, epochLength) >= subnet.startEpoch;
  return begun ? "active" : "waiting";
}
