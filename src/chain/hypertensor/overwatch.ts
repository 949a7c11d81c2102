import { ONE } from "../types.ts";
import { account, amount, fieldsOf, integer, text } from "./fields.ts";
import { known, type NetworkState } from "./network_state.ts";

/** Where the network stands in its overwatch epoch. */
export interface OverwatchEpoch {
  /** The overwatch epoch. */
  readonly epoch: number;
  /** Its first block. */
  readonly firstBlock: number;
  /** The first block in which weights are revealed, not committed. */
  readonly cutoffBlock: number;
  /** The next epoch's first block. */
  readonly nextBlock: number;
  /** What overwatch nodes can do now. */
  readonly phase: "commit" | "reveal";
}

/** A node that watches over subnets. */
export interface OverwatchNode {
  /** Its id. */
  readonly id: number;
  /** The account that signs for it. */
  readonly hotkey: string;
  /** The account that owns it. */
  readonly coldkey: string | undefined;
  /** Base units. */
  readonly stake: bigint;
  /** The peer that it has in each subnet. */
  readonly peers: ReadonlyMap<number, string>;
}

/** What an overwatch node committed or revealed of one subnet. */
export interface OverwatchWeight {
  /** The subnet. */
  readonly subnetId: number;
  /** The hash that it committed. */
  readonly commit: string | undefined;
  /** The weight that it revealed, by 1e18. */
  readonly weight: bigint | undefined;
}

/** Where the network stands in its overwatch epoch. @throws {ChainUnreadableError} */
export async function overwatchEpoch(
  state: NetworkState,
): Promise<OverwatchEpoch> {
  const [multiplier, cutoff] = await Promise.all([
    state.number("overwatchEpochLengthMultiplier"),
    state.amount("overwatchCommitCutoffPercent"),
  ]);
  // A multiplier of 0 would leave no epochs at all.
  const length = state.constants.epochLength *
    Math.max(1, known(multiplier, "length of overwatch epochs"));
  const { number } = state.block;
  const epoch = Math.floor(number / length);
  const firstBlock = epoch * length;
  const cutoffBlock = firstBlock +
    Number(BigInt(length) * known(cutoff, "end of commits") / ONE);
  return {
    epoch,
    firstBlock,
    cutoffBlock,
    nextBlock: firstBlock + length,
    phase: number < cutoffBlock ? "commit" : "reveal",
  };
}

/** All overwatch nodes, ascending by id. @throws {ChainUnreadableError} */
export async function overwatchNodes(
  state: NetworkState,
): Promise<OverwatchNode[]> {
  const nodes = await state.readAll(
    "overwatchNodes",
    [],
    "an overwatch node",
    (value) => {
      const { id, hotkey } = fieldsOf(value);
      return { id: integer(id), hotkey: account(hotkey) };
    },
  );
  return await Promise.all(
    nodes.sort((a, b) => a.id - b.id).map(async ({ id, hotkey }) => {
      const [coldkey, stake, peers] = await Promise.all([
        state.account("hotkeyOwner", hotkey),
        state.amount("accountOverwatchStake", hotkey),
        state.read(
          "overwatchNodeIndex",
          [id],
          "peers",
          (value) =>
            Object.entries(fieldsOf(value)).map(([subnetId, peer]) =>
              [Number(subnetId), text(peer)] as const
            ),
        ),
      ]);
      return {
        id,
        hotkey,
        coldkey,
        stake: stake ?? 0n,
        peers: new Map(peers ?? []),
      };
    }),
  );
}

/** What an overwatch node committed and revealed in an epoch. @throws {ChainUnreadableError} */
export async function overwatchWeights(
  state: NetworkState,
  epoch: number,
  nodeId: number,
): Promise<OverwatchWeight[]> {
  const subnets = (await state.subnets()).map(({ id }) => id);
  const keys = subnets.map((subnetId) => [epoch, nodeId, subnetId]);
  const [commits, reveals] = await Promise.all([
    state.readMany("overwatchCommits", keys, "a commit", (value) => {
      if (typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value)) {
        return value;
      }
      throw new Error("it is no hash");
    }),
    state.readMany("overwatchReveals", keys, "a weight", amount),
  ]);
  return subnets.map((subnetId, i) => ({
    subnetId,
    commit: commits[i],
    weight: reveals[i],
  })).filter(({ commit, weight }) =>
    commit !== undefined || weight !== undefined
  );
}
