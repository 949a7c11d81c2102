import { formatTensor } from "../../amount.ts";
import { amount, fieldsOf } from "../fields.ts";
import type { NetworkState } from "../network_state.ts";
import {
  amountOf,
  check,
  networkRuns,
  notElected,
  notTooSoon,
  numberOf,
  ownsHotkey,
  type Plan,
  subnetEpoch,
  subnetExists,
} from "./plan.ts";

/** Stake to add to what one hotkey has in one subnet. */
export interface StakeInput {
  /** The subnet. */
  readonly subnetId: number;
  /** The hotkey that has, or gets, the stake. */
  readonly hotkey: string;
  /** Base units. */
  readonly amount: bigint;
}

/** Stake to withdraw. */
export interface WithdrawalInput extends Omit<StakeInput, "amount"> {
  /** Base units, or everything that can be withdrawn. */
  readonly amount: bigint | "all";
}

/** Adding to the stake of a node, signed by its coldkey. */
export async function planAddStake(
  state: NetworkState,
  coldkey: string,
  { subnetId, hotkey, amount }: StakeInput,
): Promise<Plan> {
  const [has, least, most, nodeId, ...checks] = await Promise.all([
    amountOf(state, "accountSubnetStake", hotkey, subnetId),
    amountOf(state, "subnetMinStakeBalance", subnetId),
    amountOf(state, "subnetMaxStakeBalance", subnetId),
    state.number("hotkeySubnetNodeId", subnetId, hotkey),
    networkRuns(state),
    subnetExists(state, subnetId),
    ownsHotkey(state, coldkey, hotkey),
    notTooSoon(state, coldkey),
  ]);
  const after = has + amount;
  return {
    title: `Add ${formatTensor(amount)} TENSOR to the stake of ${hotkey}.`,
    call: {
      name: "add_stake",
      args: {
        subnet_id: subnetId,
        // The chain ignores it; a hotkey without a node has none.
        subnet_node_id: nodeId ?? 0,
        hotkey,
        stake_to_be_added: amount,
      },
    },
    facts: [
      ["Subnet", String(subnetId)],
      ["Node", nodeId === undefined ? "none" : String(nodeId)],
      ["Stake now", `${formatTensor(has)} TENSOR`],
      ["Stake after", `${formatTensor(after)} TENSOR`],
    ],
    spends: amount,
    checks: [
      ...checks,
      check("The amount is above zero", amount > 0n, "InvalidAmount"),
      check(
        "The stake reaches the least of the subnet",
        after >= least,
        "MinStakeNotReached",
        `The least is ${formatTensor(least)} TENSOR.`,
      ),
      check(
        "The stake stays within the most of the subnet",
        after <= most,
        "MaxStakeReached",
        `The most is ${formatTensor(most)} TENSOR.`,
      ),
    ],
    warnings: nodeId === undefined
      ? ["The hotkey has no node in this subnet, so the stake earns nothing."]
      : [],
  };
}

/** Withdrawing stake of a node, signed by its coldkey. */
export async function planRemoveStake(
  state: NetworkState,
  coldkey: string,
  { subnetId, hotkey, amount: wanted }: WithdrawalInput,
): Promise<Plan> {
  const [has, least, nodeId, cooldown, ...checks] = await Promise.all([
    amountOf(state, "accountSubnetStake", hotkey, subnetId),
    amountOf(state, "subnetMinStakeBalance", subnetId),
    state.number("hotkeySubnetNodeId", subnetId, hotkey),
    cooldownBlocks(state, "stakeCooldownEpochs"),
    networkRuns(state),
    ownsHotkey(state, coldkey, hotkey),
    notTooSoon(state, coldkey),
    ledgerHasRoom(state, coldkey),
  ]);
  // A node keeps the least stake for as long as it is one.
  const kept = nodeId === undefined ? 0n : least;
  const amount = wanted !== "all" ? wanted : has > kept ? has - kept : 0n;
  const after = has > amount ? has - amount : 0n;
  const nodeChecks = nodeId === undefined ? [] : [
    check(
      "A node keeps the least stake of the subnet",
      after >= least,
      "MinStakeNotReached",
      `It must keep ${formatTensor(least)} TENSOR; ` +
        "remove the node first to withdraw everything.",
    ),
    await notElected(
      state,
      subnetId,
      nodeId,
      "ElectedValidatorCannotUnstake",
    ),
    await stakedLongEnough(state, subnetId, nodeId),
  ];
  return {
    title: `Withdraw ${formatTensor(amount)} TENSOR of the stake of ${hotkey}.`,
    call: {
      name: "remove_stake",
      args: { subnet_id: subnetId, hotkey, stake_to_be_removed: amount },
    },
    facts: [
      ["Subnet", String(subnetId)],
      ["Node", nodeId === undefined ? "none" : String(nodeId)],
      ["Stake now", `${formatTensor(has)} TENSOR`],
      ["Stake after", `${formatTensor(after)} TENSOR`],
      [
        "To be collected",
        `from about block ${
          state.block.number + 1 + cooldown
        }, with \`meshnode stake claim\``,
      ],
    ],
    spends: 0n,
    checks: [
      ...checks,
      check("The amount is above zero", amount > 0n, "AmountZero"),
      check(
        "There is as much stake",
        has >= amount,
        "NotEnoughStakeToWithdraw",
        `There are ${formatTensor(has)} TENSOR.`,
      ),
      ...nodeChecks,
    ],
    warnings: [],
  };
}

/** Collecting what was withdrawn and has waited long enough. */
export async function planClaim(
  state: NetworkState,
  coldkey: string,
): Promise<Plan> {
  const [ledger, runs] = await Promise.all([
    unbondings(state, coldkey),
    networkRuns(state),
  ]);
  const due = ledger.filter(({ block }) => block <= state.block.number + 1);
  const sum = due.reduce((total, { amount }) => total + amount, 0n);
  const next = ledger.find(({ block }) => block > state.block.number + 1);
  return {
    title: `Collect ${formatTensor(sum)} TENSOR that were withdrawn.`,
    call: { name: "claim_unbondings", args: {} },
    facts: [
      ["Withdrawals that are due", String(due.length)],
      ["Others that wait", String(ledger.length - due.length)],
    ],
    spends: 0n,
    checks: [
      runs,
      check(
        "A withdrawal is due",
        due.length > 0,
        "NoStakeUnbondingsOrCooldownNotMet",
        next === undefined
          ? "None waits."
          : `The next one is due in block ${next.block}; ` +
            `now it is block ${state.block.number}.`,
      ),
    ],
    warnings: [],
  };
}

/** What was withdrawn, and the block from which it can be collected. */
export interface Unbonding {
  /** The block. */
  readonly block: number;
  /** Base units. */
  readonly amount: bigint;
}

/** What waits to be collected by an account, the next first. */
export async function unbondings(
  state: NetworkState,
  coldkey: string,
): Promise<Unbonding[]> {
  const found = await state.read(
    "stakeUnbondingLedger",
    [coldkey],
    "a list of withdrawals",
    (value) =>
      Object.entries(fieldsOf(value)).map(([block, each]) => ({
        block: Number(block),
        amount: amount(each),
      })),
  );
  return (found ?? []).sort((a, b) => a.block - b.block);
}

/** How many blocks a withdrawal waits. */
export async function cooldownBlocks(
  state: NetworkState,
  item: "stakeCooldownEpochs" | "delegateStakeCooldownEpochs",
): Promise<number> {
  return await numberOf(state, item) * state.constants.epochLength;
}

/** That one more withdrawal may wait; those that are due make room by themselves. */
export async function ledgerHasRoom(state: NetworkState, account: string) {
  const [waiting, most] = await Promise.all([
    unbondings(state, account),
    numberOf(state, "maxUnbondings"),
  ]);
  const due = waiting.some(({ block }) => block <= state.block.number + 1);
  return check(
    "One more withdrawal may wait",
    waiting.length < most || due,
    "MaxUnlockingsReached",
    `${waiting.length} wait; the most is ${most}.`,
  );
}

async function stakedLongEnough(
  state: NetworkState,
  subnetId: number,
  nodeId: number,
) {
  const [epoch = 0, least, node] = await Promise.all([
    subnetEpoch(state, subnetId),
    numberOf(state, "minActiveNodeStakeEpochs"),
    state.node(subnetId, nodeId),
  ]);
  const active = node !== undefined &&
    node.classification.nodeClass !== "registered";
  const from = (node?.classification.startEpoch ?? 0) + least;
  return check(
    "An active node was staked long enough",
    !active || from <= epoch,
    "MinActiveNodeStakeEpochs",
    `It can withdraw from epoch ${from}; now it is epoch ${epoch}.`,
  );
}
