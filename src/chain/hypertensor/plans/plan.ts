import { explainCallError } from "../../call_errors.ts";
import type { NetworkCall } from "../network_call.ts";
import { known, type NetworkState } from "../network_state.ts";

/** A condition of the chain for a call, looked at before anything is spent. */
export interface Check {
  /** What must be, such as "The subnet exists". */
  readonly what: string;
  /** Whether it is. */
  readonly holds: boolean;
  /** What the chain would answer otherwise, by the name of its error. */
  readonly error: string;
  /** What is found instead. */
  readonly found?: string;
}

/** A call that somebody may want to send, and what is known about it before. */
export interface Plan {
  /** What it does, as a sentence. */
  readonly title: string;
  /** The call. */
  readonly call: NetworkCall;
  /** What to know before agreeing to it, by name. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What leaves the signer's free balance besides the fee, base units. */
  readonly spends: bigint;
  /** The chain's conditions. */
  readonly checks: readonly Check[];
  /** What succeeds, but may not be what is wanted. */
  readonly warnings: readonly string[];
}

/** Makes a plan of a call that a signer would send, at one block. */
export type Planner = (state: NetworkState, signer: string) => Promise<Plan>;

/** A condition, and what it is called when it fails. */
export function check(
  what: string,
  holds: boolean,
  error: string,
  found?: string,
): Check {
  return { what, holds, error, ...(found === undefined ? {} : { found }) };
}

/** A failing condition as a sentence for people. */
export function problemOf({ what, error, found }: Check): string {
  const explained = explainCallError(error);
  return [
    explained?.means ?? `It does not hold that: ${what}.`,
    ...(found === undefined ? [] : [found]),
  ].join(" ");
}

/** That the network takes transactions. */
export async function networkRuns(state: NetworkState): Promise<Check> {
  return check(
    "The network takes transactions",
    !await state.flag("txPause"),
    "Paused",
  );
}

/** That an account may send another transaction of the limited kind. */
export async function notTooSoon(
  state: NetworkState,
  account: string,
): Promise<Check> {
  const [limit = 0, last = 0] = await Promise.all([
    state.number("txRateLimit"),
    state.number("lastTxBlock", account),
  ]);
  // The next block is the first that can include it.
  const next = state.block.number + 1;
  return check(
    "The account's last transaction is long enough ago",
    limit === 0 || last === 0 || next - last > limit,
    "TxRateLimitExceeded",
    `It was in block ${last}; ${limit} blocks must pass.`,
  );
}

/** That a hotkey belongs to a coldkey. */
export async function ownsHotkey(
  state: NetworkState,
  coldkey: string,
  hotkey: string,
): Promise<Check> {
  const owner = await state.account("hotkeyOwner", hotkey);
  return check(
    `The hotkey ${hotkey} belongs to the signing key`,
    owner === coldkey,
    "NotKeyOwner",
    owner === undefined
      ? `Nobody owns ${hotkey}.`
      : `${hotkey} belongs to ${owner}, and ${coldkey} signs.`,
  );
}

/** That a subnet exists. */
export async function subnetExists(
  state: NetworkState,
  subnetId: number,
): Promise<Check> {
  const id = await state.read(
    "subnetsData",
    [subnetId],
    "a subnet",
    () => subnetId,
  );
  return check(
    `Subnet ${subnetId} exists`,
    id !== undefined,
    "InvalidSubnetId",
  );
}

/** That a number of blocks is not the present node's turn: it is not elected now. */
export async function notElected(
  state: NetworkState,
  subnetId: number,
  nodeId: number,
  error: "ElectedValidatorCannotRemove" | "ElectedValidatorCannotUnstake",
): Promise<Check> {
  const epoch = await subnetEpoch(state, subnetId);
  const elected = epoch === undefined
    ? undefined
    : await state.number("subnetElectedValidator", subnetId, epoch);
  return check(
    `Node ${nodeId} is not the elected validator of this epoch`,
    elected !== nodeId,
    error,
  );
}

/** The subnet epoch of the block; absent for a subnet without a slot. */
export async function subnetEpoch(
  state: NetworkState,
  subnetId: number,
): Promise<number | undefined> {
  const slot = await state.number("subnetSlot", subnetId);
  if (slot === undefined) return undefined;
  const { epochLength } = state.constants;
  return Math.max(0, Math.floor((state.block.number - slot) / epochLength));
}

/** The network epoch of the block. */
export function networkEpochOf(state: NetworkState): number {
  return Math.floor(state.block.number / state.constants.epochLength);
}

/** An amount that has a default. */
export async function amountOf(
  state: NetworkState,
  item: string,
  ...args: unknown[]
): Promise<bigint> {
  return known(await state.amount(item, ...args), item);
}

/** A number that has a default. */
export async function numberOf(
  state: NetworkState,
  item: string,
  ...args: unknown[]
): Promise<number> {
  return known(await state.number(item, ...args), item);
}
