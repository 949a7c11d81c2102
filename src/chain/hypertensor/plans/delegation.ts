import { formatTensor } from "../../amount.ts";
import type { NetworkState } from "../network_state.ts";
import {
  amountOf,
  type Check,
  check,
  networkRuns,
  notTooSoon,
  type Plan,
  subnetExists,
} from "./plan.ts";
import { cooldownBlocks, ledgerHasRoom } from "./stake.ts";

/** An amount that is, or shall be, delegated to a subnet. */
export interface DelegationInput {
  /** The subnet. */
  readonly subnetId: number;
  /** Base units. */
  readonly amount: bigint;
}

/** What shall be taken of what is delegated to a subnet. */
export interface UndelegationInput extends Omit<DelegationInput, "amount"> {
  /** Base units, or everything. */
  readonly amount: bigint | "all";
}

/** Delegating to a subnet, for a share of its rewards. */
export async function planDelegate(
  state: NetworkState,
  account: string,
  { subnetId, amount }: DelegationInput,
): Promise<Plan> {
  const [{ pool, least, checks }, isLater] = await Promise.all([
    openPool(state, subnetId, account),
    notTooSoon(state, account),
  ]);
  return {
    title: `Delegate ${formatTensor(amount)} TENSOR to subnet ${subnetId}.`,
    call: {
      name: "add_to_delegate_stake",
      args: { subnet_id: subnetId, stake_to_be_added: amount },
    },
    facts: [
      ["Delegated so far", `${formatTensor(pool.worth)} TENSOR`],
      ["In the subnet's pool", `${formatTensor(pool.balance)} TENSOR`],
    ],
    spends: amount,
    checks: [
      ...checks,
      isLater,
      reachesLeast(amount, least, "MinDelegateStakeDepositNotReached"),
    ],
    warnings: [],
  };
}

/** Withdrawing what was delegated. */
export async function planUndelegate(
  state: NetworkState,
  account: string,
  { subnetId, amount: wanted }: UndelegationInput,
): Promise<Plan> {
  const [pool, cooldown, ...checks] = await Promise.all([
    poolOf(state, subnetId, account),
    cooldownBlocks(state, "delegateStakeCooldownEpochs"),
    networkRuns(state),
    notTooSoon(state, account),
    ledgerHasRoom(state, account),
  ]);
  const { amount, shares } = portionOf(pool, wanted);
  return {
    title: `Withdraw about ${
      formatTensor(amount)
    } TENSOR that are delegated to subnet ${subnetId}.`,
    call: {
      name: "remove_delegate_stake",
      args: { subnet_id: subnetId, shares_to_be_removed: shares },
    },
    facts: [
      ["Delegated so far", `${formatTensor(pool.worth)} TENSOR`],
      ["Shares to withdraw", `${shares} of ${pool.shares}`],
      [
        "To be collected",
        `from about block ${
          state.block.number + 1 + cooldown
        }, with \`meshnode stake claim\``,
      ],
    ],
    spends: 0n,
    checks: [...checks, ...hasAsMuch(pool, amount, shares)],
    warnings: [],
  };
}

/** Handing what was delegated to another account. */
export async function planTransfer(
  state: NetworkState,
  account: string,
  input: UndelegationInput & { readonly to: string },
): Promise<Plan> {
  const { subnetId, to } = input;
  const [pool, least, runs] = await Promise.all([
    poolOf(state, subnetId, account),
    amountOf(state, "minDelegateStakeDeposit"),
    networkRuns(state),
  ]);
  const { amount, shares } = portionOf(pool, input.amount);
  return {
    title: `Hand about ${
      formatTensor(amount)
    } TENSOR that are delegated to subnet ${subnetId} to ${to}.`,
    call: {
      name: "transfer_delegate_stake",
      args: {
        subnet_id: subnetId,
        to_account_id: to,
        delegate_stake_shares_to_transfer: shares,
      },
    },
    facts: [
      ["Delegated so far", `${formatTensor(pool.worth)} TENSOR`],
      ["Shares to hand over", `${shares} of ${pool.shares}`],
    ],
    spends: 0n,
    checks: [
      runs,
      ...hasAsMuch(pool, amount, shares),
      check(
        "The receiver is another account",
        to !== account,
        "TransferToSelfNotAllowed",
      ),
      reachesLeast(
        worthOf(pool, shares),
        least,
        "MinDelegateStakeDepositNotReached",
      ),
    ],
    warnings: [],
  };
}

/** Giving to all who delegated to a subnet; it comes back to nobody. */
export async function planDonate(
  state: NetworkState,
  account: string,
  { subnetId, amount }: DelegationInput,
): Promise<Plan> {
  const { pool, least, checks } = await openPool(state, subnetId, account);
  return {
    title: `Give ${
      formatTensor(amount)
    } TENSOR to all who delegated to subnet ${subnetId}.`,
    call: {
      name: "donate_delegate_stake",
      args: { subnet_id: subnetId, amount },
    },
    facts: [["In the subnet's pool", `${formatTensor(pool.balance)} TENSOR`]],
    spends: amount,
    checks: [...checks, reachesLeast(amount, least, "MinDelegateStake")],
    warnings: ["A gift cannot be withdrawn; to delegate is something else."],
  };
}

/** What was delegated to a subnet. */
interface Pool {
  /** Shares of the account. */
  readonly shares: bigint;
  /** What they are worth, base units. */
  readonly worth: bigint;
  /** All shares. */
  readonly totalShares: bigint;
  /** What they are worth, base units. */
  readonly balance: bigint;
}

/** A pool that more is given to, with what that takes. */
async function openPool(
  state: NetworkState,
  subnetId: number,
  account: string,
): Promise<
  {
    readonly pool: Pool;
    readonly least: bigint;
    readonly checks: readonly Check[];
  }
> {
  const [pool, least, ...checks] = await Promise.all([
    poolOf(state, subnetId, account),
    amountOf(state, "minDelegateStakeDeposit"),
    networkRuns(state),
    subnetExists(state, subnetId),
  ]);
  return { pool, least, checks };
}

async function poolOf(
  state: NetworkState,
  subnetId: number,
  account: string,
): Promise<Pool> {
  const [shares, totalShares, balance] = await Promise.all([
    amountOf(state, "accountSubnetDelegateStakeShares", account, subnetId),
    amountOf(state, "totalSubnetDelegateStakeShares", subnetId),
    amountOf(state, "totalSubnetDelegateStakeBalance", subnetId),
  ]);
  const pool = { shares, totalShares, balance };
  return { ...pool, worth: worthOf(pool, shares) };
}

/** The chain's own rule: with virtual shares, so that nobody can inflate a pool. */
function worthOf(
  { totalShares, balance }: Omit<Pool, "worth">,
  shares: bigint,
): bigint {
  return totalShares === 0n
    ? shares
    : shares * (balance + 1n) / (totalShares + 10n);
}

/** What is wanted of the account's part of the pool. */
function portionOf(
  pool: Pool,
  wanted: bigint | "all",
): { readonly amount: bigint; readonly shares: bigint } {
  return wanted === "all"
    ? { amount: pool.worth, shares: pool.shares }
    : { amount: wanted, shares: sharesFor(pool, wanted) };
}

/** As few shares as are worth the amount. */
function sharesFor({ totalShares, balance }: Pool, amount: bigint): bigint {
  const divisor = balance + 1n;
  return (amount * (totalShares + 10n) + divisor - 1n) / divisor;
}

function hasAsMuch(pool: Pool, amount: bigint, shares: bigint): Check[] {
  return [
    check("The amount is above zero", amount > 0n, "SharesZero"),
    check(
      "As much is delegated",
      shares <= pool.shares,
      "NotEnoughStakeToWithdraw",
      `${formatTensor(pool.worth)} TENSOR are.`,
    ),
  ];
}

function reachesLeast(amount: bigint, least: bigint, error: string): Check {
  return check(
    "The amount is large enough",
    amount >= least,
    error,
    `The least is ${formatTensor(least)} TENSOR.`,
  );
}
