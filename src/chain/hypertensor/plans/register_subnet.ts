import { formatFraction, formatTensor } from "../../amount.ts";
import { ONE } from "../../types.ts";
import { textHex } from "../declared/call_input.ts";
import type { NetworkState } from "../network_state.ts";
import type { SubnetInput } from "./inputs.ts";
import { amountOf, check, networkRuns, numberOf, type Plan } from "./plan.ts";

/** Registering a subnet, signed by its owner. */
export async function planRegisterSubnet(
  state: NetworkState,
  owner: string,
  input: SubnetInput,
): Promise<Plan> {
  const args = state.layout.registerSubnet(input);
  const [
    cost,
    leastStake,
    mostLeastStake,
    mostStake,
    leastShare,
    mostShare,
    mostSubnets,
    mostBootnodes,
    leastNodes,
    sameName,
    sameRepo,
    subnets,
    runs,
  ] = await Promise.all([
    registrationCost(state),
    amountOf(state, "minSubnetMinStake"),
    amountOf(state, "maxSubnetMinStake"),
    amountOf(state, "networkMaxStakeBalance"),
    amountOf(state, "minDelegateStakePercentage"),
    amountOf(state, "maxDelegateStakePercentage"),
    numberOf(state, "maxSubnets"),
    numberOf(state, "maxBootnodes"),
    numberOf(state, "minSubnetNodes"),
    state.number("subnetName", textHex(input.name)),
    state.number("subnetRepo", textHex(input.repo)),
    state.subnets(),
    networkRuns(state),
  ]);
  const { minStake, maxStake, delegateShare, initialColdkeys } = input;
  const counts = [...initialColdkeys.values()];
  const most = mostShare < ONE ? mostShare : ONE;
  return {
    title: `Register the subnet "${input.name}".`,
    call: { name: "register_subnet", args },
    facts: [
      ["Owner", owner],
      [
        "Cost",
        `about ${formatTensor(cost)} TENSOR, at most ${
          formatTensor(input.maxCost)
        }; it does not come back`,
      ],
      ["Repository", input.repo],
      [
        "Stake of a node",
        `${formatTensor(minStake)} to ${formatTensor(maxStake)} TENSOR`,
      ],
      ["Shared with delegators", formatFraction(delegateShare)],
      ["Coldkeys to begin with", String(initialColdkeys.size)],
      [
        "Bootnodes",
        input.bootnodes.map(({ multiaddr }) => multiaddr).join(", "),
      ],
    ],
    spends: cost,
    checks: [
      runs,
      check(
        "The name is free",
        sameName === undefined,
        "SubnetNameExist",
        `Subnet ${sameName} has it.`,
      ),
      check(
        "The repository is free",
        sameRepo === undefined,
        "SubnetRepoExist",
        `Subnet ${sameRepo} has it.`,
      ),
      check(
        "The network has room for another subnet",
        subnets.length <= mostSubnets,
        "MaxSubnets",
        `It has ${subnets.length}.`,
      ),
      check(
        "There is a bootnode",
        input.bootnodes.length > 0,
        "BootnodesEmpty",
      ),
      check(
        "There are not too many bootnodes",
        input.bootnodes.length <= mostBootnodes,
        "TooManyBootnodes",
        `The most is ${mostBootnodes}.`,
      ),
      check(
        "The least stake is one that the network allows",
        minStake >= leastStake && minStake <= mostLeastStake,
        "InvalidSubnetMinStake",
        `It is between ${formatTensor(leastStake)} and ${
          formatTensor(mostLeastStake)
        } TENSOR.`,
      ),
      check(
        "The most stake is one that the network allows",
        maxStake <= mostStake,
        "InvalidSubnetMaxStake",
        `The most is ${formatTensor(mostStake)} TENSOR.`,
      ),
      check(
        "The least stake is at most the most",
        minStake <= maxStake,
        "InvalidSubnetStakeParameters",
      ),
      check(
        "The share of those who delegate is one that the network allows",
        delegateShare >= leastShare && delegateShare <= most,
        "InvalidMinDelegateStakePercentage",
        `It is between ${formatFraction(leastShare)} and ${
          formatFraction(most)
        }.`,
      ),
      check(
        "Enough coldkeys may register nodes to begin with",
        counts.length >= leastNodes && counts.every((count) => count >= 1),
        "InvalidSubnetRegistrationInitialColdkeys",
        `At least ${leastNodes} must, each at least one node.`,
      ),
      check(
        `It costs at most ${formatTensor(input.maxCost)} TENSOR`,
        cost <= input.maxCost,
        "CostGreaterThanMaxCost",
        `Now it costs about ${formatTensor(cost)} TENSOR.`,
      ),
    ],
    warnings: [],
  };
}

/**
 * What the registration of a subnet costs in the next block: the last cost,
 * falling to the least one. The chain computes with floating point, so that
 * the last digits may differ.
 */
export async function registrationCost(state: NetworkState): Promise<bigint> {
  const [last, least, since, decay, alpha] = await Promise.all([
    amountOf(state, "lastRegistrationCost"),
    amountOf(state, "minRegistrationCost"),
    numberOf(state, "lastSubnetRegistrationBlock"),
    numberOf(state, "registrationCostDecayBlocks"),
    amountOf(state, "registrationCostAlpha"),
  ]);
  if (last <= least) return least;
  if (decay === 0) return last;
  const passed = Math.max(0, state.block.number + 1 - since);
  if (passed >= decay) return least;
  const left = ((decay - passed) / decay) ** (Number(alpha) / 1e18);
  return least + (last - least) * BigInt(Math.round(left * 1e15)) / 10n ** 15n;
}
