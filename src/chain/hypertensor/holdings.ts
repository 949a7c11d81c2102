import type { DelegateStake, NodeDelegateStake } from "./declared/answers.ts";
import { account, amount, integer, list } from "./fields.ts";
import type { NetworkState } from "./network_state.ts";
import { type Unbonding, unbondings } from "./plans/stake.ts";

/** The stake that one hotkey has in its subnet. */
export interface HotkeyStake {
  /** The hotkey. */
  readonly hotkey: string;
  /** Its subnet. */
  readonly subnetId: number | undefined;
  /** Its node; absent when the node was removed. */
  readonly nodeId: number | undefined;
  /** Base units. */
  readonly stake: bigint;
}

/** All that an account holds. */
export interface Holdings {
  /** The account. */
  readonly account: string;
  /** What it can spend, base units. */
  readonly free: bigint;
  /** Whose hotkey it is. */
  readonly owner: string | undefined;
  /** Stakes of its hotkeys; its own where it is a hotkey. */
  readonly stakes: readonly HotkeyStake[];
  /** What it delegated to subnets. */
  readonly delegated: readonly DelegateStake[];
  /** What it delegated to nodes. */
  readonly nodeDelegated: readonly NodeDelegateStake[];
  /** What was withdrawn and waits to be collected. */
  readonly unbondings: readonly Unbonding[];
}

/** Reads all that an account holds, at one block. @throws {ChainUnreadableError} */
export async function holdingsOf(
  state: NetworkState,
  of: string,
): Promise<Holdings> {
  const [free, owner, hotkeys = [], delegated, nodeDelegated, waiting] =
    await Promise.all([
      state.balance(of),
      state.account("hotkeyOwner", of),
      state.read(
        "coldkeyHotkeys",
        [of],
        "a list of hotkeys",
        (value) => list(value).map(account),
      ),
      state.delegateStakes(of),
      state.nodeDelegateStakes(of),
      unbondings(state, of),
    ]);
  return {
    account: of,
    free,
    owner,
    stakes: await stakesOf(
      state,
      owner === undefined ? hotkeys : [of, ...hotkeys],
    ),
    delegated,
    nodeDelegated,
    unbondings: waiting,
  };
}

async function stakesOf(
  state: NetworkState,
  hotkeys: readonly string[],
): Promise<HotkeyStake[]> {
  const subnets = await state.readMany(
    "hotkeySubnetId",
    hotkeys.map((hotkey) => [hotkey]),
    "a subnet's id",
    integer,
  );
  const keys = hotkeys.flatMap((hotkey, i) => {
    const subnetId = subnets[i];
    return subnetId === undefined ? [] : [{ hotkey, subnetId }];
  });
  const [nodes, stakes] = await Promise.all([
    state.readMany(
      "hotkeySubnetNodeId",
      keys.map(({ hotkey, subnetId }) => [subnetId, hotkey]),
      "a node's id",
      integer,
    ),
    state.readMany(
      "accountSubnetStake",
      keys.map(({ hotkey, subnetId }) => [hotkey, subnetId]),
      "a stake",
      amount,
    ),
  ]);
  const found = keys.map(({ hotkey, subnetId }, i) => ({
    hotkey,
    subnetId,
    nodeId: nodes[i],
    stake: stakes[i] ?? 0n,
  }));
  const without = hotkeys.filter((_, i) => subnets[i] === undefined)
    .map((hotkey) => ({
      hotkey,
      subnetId: undefined,
      nodeId: undefined,
      stake: 0n,
    }));
  return [...found, ...without];
}
