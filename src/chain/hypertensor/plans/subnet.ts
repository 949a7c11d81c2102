import { formatTensor } from "../../amount.ts";
import type { SubnetDetails } from "../declared/answers.ts";
import type { NetworkState } from "../network_state.ts";
import type { BootnodesInput } from "./inputs.ts";
import {
  amountOf,
  type Check,
  check,
  networkEpochOf,
  networkRuns,
  numberOf,
  type Plan,
} from "./plan.ts";

/** Activating a subnet, signed by its owner. */
export async function planActivateSubnet(
  state: NetworkState,
  owner: string,
  subnetId: number,
): Promise<Plan> {
  const subnet = await state.subnet(subnetId);
  const checks = await ownersChecks(state, subnet, owner);
  const warnings: string[] = [];
  if (subnet?.state !== "registered") {
    checks.push(
      check(
        "The subnet is not active yet",
        subnet === undefined,
        "SubnetActivatedAlready",
        `It is ${subnet?.state}.`,
      ),
    );
  } else {
    const [first, during, after, least, reputation] = await Promise.all([
      numberOf(state, "minSubnetRegistrationEpochs"),
      numberOf(state, "subnetRegistrationEpochs"),
      numberOf(state, "subnetEnactmentEpochs"),
      numberOf(state, "minSubnetNodes"),
      amountOf(state, "minSubnetReputation"),
    ]);
    const epoch = networkEpochOf(state);
    const begun = subnet.registrationEpoch ?? epoch;
    checks.push(check(
      "Enough epochs passed since its registration",
      begun + first <= epoch,
      "MinSubnetRegistrationEpochsNotMet",
      `It can be activated from network epoch ${
        begun + first
      }; now it is ${epoch}.`,
    ));
    const ready = [
      check(
        "The subnet has enough nodes",
        subnet.totalActiveNodes >= least,
        "SubnetActivationConditionsNotMetYet",
        `It has ${subnet.totalActiveNodes} of ${least} nodes.`,
      ),
      check(
        "Enough is delegated to the subnet",
        subnet.totalSubnetDelegateStakeBalance >=
          subnet.currentMinDelegateStake,
        "SubnetActivationConditionsNotMetYet",
        `It has ${formatTensor(subnet.totalSubnetDelegateStakeBalance)} of ${
          formatTensor(subnet.currentMinDelegateStake)
        } TENSOR.`,
      ),
      check(
        "The subnet's reputation is high enough",
        subnet.reputation >= reputation,
        "SubnetActivationConditionsNotMetYet",
      ),
    ];
    checks.push(...ready);
    // Then the call would succeed, and remove the subnet.
    const lost = epoch > begun + during + after;
    if (lost || (epoch > begun + during && ready.some((each) => !each.holds))) {
      const end = begun + during + after;
      checks.push(check(
        "The call would not remove the subnet",
        false,
        "SubnetActivationConditionsNotMetYet",
        lost
          ? `Its time ended with network epoch ${end}: to activate it now removes it.`
          : `Its registration ended with network epoch ${begun + during}: ` +
            "to try in vain now removes it.",
      ));
    }
  }
  return {
    title: `Activate subnet ${subnetId}${named(subnet)}.`,
    call: { name: "activate_subnet", args: { subnet_id: subnetId } },
    facts: subnet === undefined ? [] : [
      ["Nodes", String(subnet.totalActiveNodes)],
      [
        "Delegated",
        `${formatTensor(subnet.totalSubnetDelegateStakeBalance)} TENSOR`,
      ],
      ["Begins", `in network epoch ${networkEpochOf(state) + 1}`],
    ],
    spends: 0n,
    checks,
    warnings,
  };
}

/** Pausing a subnet, signed by its owner. */
export async function planPauseSubnet(
  state: NetworkState,
  owner: string,
  subnetId: number,
): Promise<Plan> {
  const [subnet, cooldown] = await Promise.all([
    state.subnet(subnetId),
    numberOf(state, "subnetPauseCooldownEpochs"),
  ]);
  const checks = await ownersChecks(state, subnet, owner);
  if (subnet !== undefined) {
    const from = subnet.prevPauseEpoch + cooldown;
    checks.push(
      check(
        "The subnet is active",
        subnet.state === "active",
        "SubnetMustBeActive",
        `It is ${subnet.state}.`,
      ),
      check(
        "Its last pause is long enough ago",
        from <= networkEpochOf(state),
        "SubnetPauseCooldownActive",
        `It can be paused from network epoch ${from}.`,
      ),
    );
  }
  const longest = await numberOf(state, "maxSubnetPauseEpochs");
  return {
    title: `Pause subnet ${subnetId}${named(subnet)}.`,
    call: { name: "owner_pause_subnet", args: { subnet_id: subnetId } },
    facts: [["Longest pause", `${longest} network epochs`]],
    spends: 0n,
    checks,
    warnings: ["While it is paused nobody proposes, attests or earns."],
  };
}

/** Ending the pause of a subnet, signed by its owner. */
export async function planUnpauseSubnet(
  state: NetworkState,
  owner: string,
  subnetId: number,
): Promise<Plan> {
  const subnet = await state.subnet(subnetId);
  const checks = await ownersChecks(state, subnet, owner);
  if (subnet !== undefined) {
    checks.push(check(
      "The subnet is paused",
      subnet.state === "paused",
      "SubnetMustBePaused",
      `It is ${subnet.state}.`,
    ));
  }
  return {
    title: `End the pause of subnet ${subnetId}${named(subnet)}.`,
    call: { name: "owner_unpause_subnet", args: { subnet_id: subnetId } },
    facts: [["Begins again", `in network epoch ${networkEpochOf(state) + 1}`]],
    spends: 0n,
    checks,
    warnings: [],
  };
}

/** Removing a subnet for good, signed by its owner. */
export async function planRemoveSubnet(
  state: NetworkState,
  owner: string,
  subnetId: number,
): Promise<Plan> {
  const subnet = await state.subnet(subnetId);
  return {
    title: `Remove subnet ${subnetId}${named(subnet)} for good.`,
    call: { name: "owner_deactivate_subnet", args: { subnet_id: subnetId } },
    facts: subnet === undefined ? [] : [
      ["Nodes that lose their place", String(subnet.totalNodes)],
      ["Their stake", `${formatTensor(subnet.totalSubnetStake)} TENSOR`],
    ],
    spends: 0n,
    checks: await ownersChecks(state, subnet, owner),
    warnings: [
      "This cannot be undone: name, slot and nodes are lost, and what the registration cost does not come back.",
    ],
  };
}

/** Changing the bootnodes of a subnet. */
export async function planUpdateBootnodes(
  state: NetworkState,
  signer: string,
  input: BootnodesInput,
): Promise<Plan> {
  const { subnetId, add, remove } = input;
  const [subnet, most, runs] = await Promise.all([
    state.subnet(subnetId),
    numberOf(state, "maxBootnodes"),
    networkRuns(state),
  ]);
  const known = subnet?.bootnodes ?? [];
  const keyOf = state.layout.bootnodeKey;
  const kept = new Set(known.map(keyOf));
  const absent = remove.filter((each) => !kept.has(each));
  for (const each of remove) kept.delete(each);
  for (const each of add) kept.add(keyOf(each));
  const allowed = subnet?.owner === signer ||
    subnet?.bootnodeAccess.includes(signer);
  return {
    title: `Change the bootnodes of subnet ${subnetId}${named(subnet)}.`,
    call: {
      name: "update_bootnodes",
      args: state.layout.updateBootnodes(input),
    },
    facts: [
      ...add.map(({ multiaddr }) => ["Add", multiaddr] as const),
      ...remove.map((each) => ["Remove", each] as const),
      ["Bootnodes afterwards", String(kept.size)],
    ],
    spends: 0n,
    checks: [
      runs,
      check("The subnet exists", subnet !== undefined, "InvalidSubnetId"),
      check(
        "The signing key may change the bootnodes",
        subnet === undefined || allowed === true,
        "InvalidAccess",
        `${signer} signs; the owner is ${subnet?.owner}.`,
      ),
      check(
        "There are not too many bootnodes",
        kept.size <= most,
        "TooManyBootnodes",
        `There would be ${kept.size}; the most is ${most}.`,
      ),
    ],
    warnings: [
      ...absent.map((each) => `${each} is no bootnode, so nothing is removed.`),
      ...(kept.size === 0 ? ["The subnet is left without a bootnode."] : []),
    ],
  };
}

/** What holds for all that only an owner may do. */
async function ownersChecks(
  state: NetworkState,
  subnet: SubnetDetails | undefined,
  signer: string,
): Promise<Check[]> {
  return [
    await networkRuns(state),
    check("The subnet exists", subnet !== undefined, "InvalidSubnetId"),
    check(
      "The signing key is the owner's",
      subnet === undefined || subnet.owner === signer,
      "NotSubnetOwner",
      `${signer} signs; the owner is ${subnet?.owner}.`,
    ),
  ];
}

function named(subnet: SubnetDetails | undefined): string {
  return subnet === undefined ? "" : ` (${subnet.name})`;
}
