// Arguments of calls that all layouts have alike.
import { optionalHex, textHex } from "../declared/call_input.ts";
import type { NodeInput, SubnetInput } from "../plans/inputs.ts";
import type { CallArgs } from "./layout.ts";

/** The terms of `register_subnet_node`: everything but accounts and peers. */
export function nodeTerms(input: NodeInput): CallArgs {
  return {
    delegate_reward_rate: input.delegateRewardRate,
    stake_to_be_added: input.stake,
    unique: optionalHex(input.unique),
    non_unique: optionalHex(input.nonUnique),
    max_burn_amount: input.maxBurn,
  };
}

/** The data of `register_subnet`, without what it says of peers. */
export function subnetData(input: SubnetInput): CallArgs {
  return {
    name: textHex(input.name),
    repo: textHex(input.repo),
    description: textHex(input.description),
    misc: textHex(input.misc),
    min_stake: input.minStake,
    max_stake: input.maxStake,
    delegate_stake_percentage: input.delegateShare,
    initial_coldkeys: input.initialColdkeys,
  };
}
