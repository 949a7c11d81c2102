import type { ChainView } from "../../chain/chain.ts";
import { type EpochPosition, epochPosition } from "../../chain/epoch.ts";
import type {
  ChainConstants,
  ConsensusSubmission,
  SubnetInfo,
} from "../../chain/types.ts";
import { facts } from "../table.ts";
import { notFound } from "./input.ts";
import { count, epochWords } from "./words.ts";

/** Where a subnet stands in its epoch. */
export interface EpochReport {
  /** The subnet's id. */
  readonly subnetId: number;
  /** Its name. */
  readonly name: string;
  /** Its state. */
  readonly state: SubnetInfo["state"];
  /** The block's number. */
  readonly block: number;
  /** The subnet's offset in a network epoch. */
  readonly slot: number;
  /** Blocks in an epoch. */
  readonly epochLength: number;
  /** Where the block lies. */
  readonly position: EpochPosition;
  /** Until the next epoch, ms. */
  readonly millisecondsRemaining: number;
  /** The elected node. */
  readonly electedValidator: number | undefined;
  /** What was proposed. */
  readonly proposal:
    | (Pick<ConsensusSubmission, "validatorId" | "block" | "scores"> & {
      /** Nodes that attested, in order. */
      readonly attestedBy: readonly number[];
      /** Nodes that could. */
      readonly electorate: readonly number[];
    })
    | undefined;
  /** Nodes that may attest now. */
  readonly attestors: readonly number[];
}

/** Reads where a subnet stands. @throws {MeshError} `CHAIN_NOT_FOUND` */
export async function readEpoch(
  view: ChainView,
  constants: ChainConstants,
  subnetId: number,
  signal: AbortSignal,
): Promise<EpochReport> {
  const options = { signal };
  const subnet = await view.subnet(subnetId, options);
  if (subnet === undefined) throw noSubnet(subnetId);
  const { slot } = subnet;
  if (slot === undefined) {
    throw notFound(
      `Subnet ${subnetId} has no place in the epoch yet.`,
      "Look at its state with `meshnode chain subnet`.",
    );
  }
  const { epochLength, blockMilliseconds } = constants;
  const position = epochPosition(view.block.number, slot, epochLength);
  const [electedValidator, proposal, attestors] = await Promise.all([
    view.electedValidator(subnetId, position.epoch, options),
    view.submission(subnetId, position.epoch, options),
    view.attestors(subnetId, options),
  ]);
  return {
    subnetId,
    name: subnet.name,
    state: subnet.state,
    block: view.block.number,
    slot,
    epochLength,
    position,
    millisecondsRemaining: position.remaining * blockMilliseconds,
    electedValidator,
    proposal: proposal && {
      validatorId: proposal.validatorId,
      block: proposal.block,
      scores: proposal.scores,
      attestedBy: [...proposal.attestations.keys()],
      electorate: proposal.electorate,
    },
    attestors,
  };
}

/** The report for people. */
export function epochText(
  report: EpochReport,
  constants: ChainConstants,
): string {
  return facts([
    ["Subnet", `${report.subnetId} (${report.name}), ${report.state}`],
    ["Block", String(report.block)],
    ["Epoch", epochWords(report.block, report.slot, constants)],
    ["Elected", electedWords(report)],
    ["Proposal", proposalWords(report)],
    ["Attested by", attestedWords(report)],
    [
      "May attest",
      report.attestors.length === 0
        ? "nobody"
        : `nodes ${report.attestors.join(", ")}`,
    ],
  ]);
}

/** Who is elected, in words. */
export function electedWords({ electedValidator }: EpochReport): string {
  return electedValidator === undefined ? "nobody" : `node ${electedValidator}`;
}

/** What was proposed, in words. */
export function proposalWords({ proposal }: EpochReport): string {
  return proposal === undefined
    ? "none yet"
    : `by node ${proposal.validatorId} in block ${proposal.block}, ${
      count(proposal.scores.length, "score")
    }`;
}

/** Who attested, in words. */
export function attestedWords({ proposal }: EpochReport): string | undefined {
  if (proposal === undefined) return undefined;
  const { attestedBy, electorate } = proposal;
  const by = attestedBy.filter((id) => electorate.includes(id)).length;
  const percent = electorate.length === 0
    ? 0
    : Math.floor(100 * by / electorate.length);
  return `${by} of ${electorate.length} validators (${percent} %): nodes ${
    attestedBy.join(", ")
  }`;
}

/** The error for a subnet that is not there. */
export function noSubnet(subnetId: number): Error {
  return notFound(
    `There is no subnet ${subnetId} on this chain.`,
    "`meshnode chain subnet` without an id lists all of them.",
  );
}
