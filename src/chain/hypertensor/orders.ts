import { decorateExtrinsics } from "@polkadot/types";
import type { Proposal, ReadOptions } from "../chain.ts";
import { epochPosition } from "../epoch.ts";
import { ChainCallError } from "../errors.ts";
import { atLeast } from "../types.ts";
import { type ChainTypes, UnknownLayoutError } from "./metadata.ts";
import type { Order } from "./order.ts";
import type { Runtime } from "./runtime.ts";
import type { HypertensorView } from "./view.ts";

const known = new WeakMap<
  ChainTypes,
  ReturnType<typeof decorateExtrinsics>
>();
const MAX_SCORE = 2n ** 128n - 1n;

/**
 * A call by its name in the metadata, encoded; numbers of pallets and calls
 * moved between versions, so that names are all that counts.
 *
 * @throws {UnknownLayoutError} when the chain has no such call.
 */
export function encodeCall(
  { types }: Runtime,
  pallet: string,
  method: string,
  args: readonly unknown[],
): `0x${string}` {
  const { registry, metadata } = types;
  const calls = known.get(types) ??
    decorateExtrinsics(registry, metadata.asLatest, metadata.version);
  known.set(types, calls);
  const call = calls[pallet]?.[method];
  if (call === undefined) {
    throw new UnknownLayoutError(`it has no call ${pallet}.${method}`);
  }
  return call(...args).toHex();
}

/** Proposes the scores of the present subnet epoch. */
export function proposeOrder(proposal: Proposal, hotkey: string): Order {
  const { subnetId, scores } = proposal;
  return {
    name: "propose",
    encode: (runtime) =>
      encodeCall(runtime, "network", "proposeAttestation", [
        subnetId,
        scores.map(({ nodeId, score }) => ({
          subnetNodeId: nodeId,
          score: score.toString(),
        })),
        proposal.prioritizeQueueNodeId ?? null,
        proposal.removeQueueNodeId ?? null,
        null,
        null,
      ]),
    async check(view, options) {
      const epoch = await presentEpoch(view, subnetId, options);
      const [elected, node, submission] = await Promise.all([
        view.electedValidator(subnetId, epoch, options),
        view.nodeOfHotkey(subnetId, hotkey, options),
        view.submission(subnetId, epoch, options),
      ]);
      if (elected === undefined) {
        refuse("NoElectedValidator", `Nobody is elected for epoch ${epoch}.`);
      }
      if (node?.id !== elected) {
        refuse(
          "InvalidValidator",
          `${hotkey} is not elected for epoch ${epoch}.`,
        );
      }
      if (submission !== undefined) {
        refuse(
          "SubnetRewardsAlreadySubmitted",
          `Epoch ${epoch} has a proposal already.`,
        );
      }
      if (scores.some(({ score }) => score < 0n || score > MAX_SCORE)) {
        refuse("ScoreOverflow", "A score is not between 0 and 2^128 - 1.");
      }
    },
  };
}

/** Attests the proposal of the present subnet epoch. */
export function attestOrder(subnetId: number, hotkey: string): Order {
  return {
    name: "attest",
    encode: (runtime) =>
      encodeCall(runtime, "network", "attest", [subnetId, null]),
    async check(view, options) {
      const epoch = await presentEpoch(view, subnetId, options);
      const [node, submission, attestors] = await Promise.all([
        view.nodeOfHotkey(subnetId, hotkey, options),
        view.submission(subnetId, epoch, options),
        view.attestors(subnetId, options),
      ]);
      if (node === undefined) {
        refuse("InvalidHotkeySubnetNodeId", `${hotkey} has no node here.`);
      }
      if (
        !atLeast(node.nodeClass, "validator") || node.startEpoch > epoch
      ) {
        refuse(
          "InvalidSubnetNodeClassification",
          `Node ${node.id} is ${node.nodeClass}; validators attest.`,
        );
      }
      if (submission === undefined) {
        refuse(
          "InvalidSubnetConsensusSubmission",
          `Epoch ${epoch} has no proposal yet.`,
        );
      }
      if (submission.attestations.has(node.id)) {
        refuse("AlreadyAttested", `Node ${node.id} has attested already.`);
      }
      if (!attestors.includes(node.id)) {
        refuse(
          "InvalidEmergencySubnetNodeId",
          `Node ${node.id} is not among those who may attest.`,
        );
      }
    },
  };
}

/** The subnet epoch of the next block's predecessor. @throws {ChainCallError} */
async function presentEpoch(
  view: HypertensorView,
  subnetId: number,
  options: ReadOptions,
): Promise<number> {
  const subnet = await view.subnet(subnetId, options);
  if (subnet === undefined) {
    refuse("InvalidSubnetId", `There is no subnet ${subnetId}.`);
  }
  if (subnet.state === "paused") refuse("Paused", "The subnet is paused.");
  const { epochLength } = view.constants;
  return epochPosition(view.block.number, subnet.slot ?? 0, epochLength).epoch;
}

function refuse(name: string, message: string): never {
  throw new ChainCallError(name, message);
}
