import type { Chain } from "../../chain/chain.ts";
import { type EpochPosition, epochPosition } from "../../chain/epoch.ts";
import {
  type AttestationCount,
  countAttestations,
} from "../../chain/quorum.ts";
import type {
  BlockRef,
  ConsensusSubmission,
  NodeClass,
  SubnetState,
} from "../../chain/types.ts";
import { type Phase, phaseAt, type Phases } from "../../consensus/phases.ts";

/** A node of the subnet, as far as it is shown. */
export interface SeenNode {
  /** Its id. */
  readonly id: number;
  /** Base58. */
  readonly peerId: string;
  /** Its class. */
  readonly nodeClass: NodeClass;
}

/** What the chain says of an epoch at one block. */
export interface EpochView {
  /** The block's number. */
  readonly block: number;
  /** The subnet's name; absent when there is no such subnet. */
  readonly name: string | undefined;
  /** How the subnet stands. */
  readonly state: SubnetState | "missing";
  /** Where the block lies. */
  readonly position: EpochPosition;
  /** What the epoch is for now. */
  readonly phase: Phase;
  /** Milliseconds between blocks. */
  readonly blockMilliseconds: number;
  /** The subnet's nodes, ascending by id. */
  readonly nodes: readonly SeenNode[];
  /** The node elected for the epoch. */
  readonly elected: number | undefined;
  /** What was proposed. */
  readonly submission: ConsensusSubmission | undefined;
}

/** How an epoch ended on the chain. */
export interface EpochResult {
  /** The subnet epoch. */
  readonly epoch: number;
  /** The node elected for it. */
  readonly elected: number | undefined;
  /** Who proposed. */
  readonly proposer: number | undefined;
  /** How far that was attested. */
  readonly attested: AttestationCount | undefined;
}

/** What a reading needs. */
export interface Reading {
  /** The chain. */
  readonly chain: Chain;
  /** The subnet. */
  readonly subnetId: number;
  /** Boundaries of the epoch. */
  readonly phases: Phases;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** Reads how the epoch stands at a block. @throws {ChainUnreadableError} */
export async function readEpochView(
  head: BlockRef,
  { chain, subnetId, phases, signal }: Reading,
): Promise<EpochView> {
  const options = { signal };
  const { epochLength, blockMilliseconds } = await chain.constants(options);
  const view = await chain.view(head, options);
  const [subnet, nodes] = await Promise.all([
    view.subnet(subnetId, options),
    view.nodes(subnetId, options),
  ]);
  const position = epochPosition(head.number, subnet?.slot ?? 0, epochLength);
  const [elected, submission] = await Promise.all([
    view.electedValidator(subnetId, position.epoch, options),
    view.submission(subnetId, position.epoch, options),
  ]);
  return {
    block: head.number,
    name: subnet?.name,
    state: subnet?.state ?? "missing",
    position,
    phase: phaseAt(position, phases),
    blockMilliseconds,
    nodes: nodes.map(({ id, peer, nodeClass }) => ({
      id,
      peerId: peer.peerId,
      nodeClass,
    })),
    elected,
    submission,
  };
}

/** Reads how an epoch that is over ended. @throws {ChainUnreadableError} */
export async function readResult(
  epoch: number,
  head: BlockRef,
  { chain, subnetId, signal }: Reading,
): Promise<EpochResult> {
  const view = await chain.view(head, { signal });
  const [elected, submission] = await Promise.all([
    view.electedValidator(subnetId, epoch, { signal }),
    view.submission(subnetId, epoch, { signal }),
  ]);
  return {
    epoch,
    elected,
    proposer: submission?.validatorId,
    attested: submission && countAttestations(submission),
  };
}
