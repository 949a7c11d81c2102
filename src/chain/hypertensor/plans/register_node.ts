import { formatFraction, formatTensor } from "../../amount.ts";
import { ONE } from "../../types.ts";
import { textHex } from "../declared/call_input.ts";
import { account, fieldsOf, integer, list } from "../fields.ts";
import { known, type NetworkState } from "../network_state.ts";
import type { NodeInput, PeerInput } from "./inputs.ts";
import {
  amountOf,
  type Check,
  check,
  networkEpochOf,
  networkRuns,
  notTooSoon,
  numberOf,
  type Plan,
} from "./plan.ts";

/** Registering a node, signed by its coldkey. */
export async function planRegisterNode(
  state: NetworkState,
  coldkey: string,
  input: NodeInput,
): Promise<Plan> {
  const { subnetId, stake, maxBurn } = input;
  const args = state.layout.registerNode(input);
  const subnet = await state.subnet(subnetId);
  const [burn, ...checks] = await Promise.all([
    burnAmount(state, subnetId),
    networkRuns(state),
    hotkeyIsFree(state, input.hotkey),
    notTooSoon(state, coldkey),
    ...peersOf(input).map(([kind, peer]) =>
      peerIsFree(state, input, kind, peer)
    ),
    ...addressesOf(input).map((address) =>
      addressIsFree(state, input, address)
    ),
    ...(input.unique === undefined
      ? []
      : [uniqueIsFree(state, subnetId, input.unique)]),
    noOldStake(state, input),
    queueHasRoom(state, subnetId),
    coldkeyIsInvited(state, subnetId, coldkey),
  ]);
  const all = [
    check(
      `Subnet ${subnetId} exists`,
      subnet !== undefined,
      "InvalidSubnetId",
    ),
    check(
      "Coldkey and hotkey differ",
      coldkey !== input.hotkey,
      "ColdkeyMatchesHotkey",
    ),
    ...checks,
    ...peersDiffer(input),
    ...delegateAccountIsFit(input, coldkey),
    check(
      "At most the whole reward is shared",
      input.delegateRewardRate <= ONE,
      "InvalidDelegateRewardRate",
    ),
    check(
      `At most ${formatTensor(maxBurn)} TENSOR are burnt`,
      burn <= maxBurn,
      "MaxBurnAmountExceeded",
      `Now it burns ${formatTensor(burn)} TENSOR.`,
    ),
  ];
  if (subnet !== undefined) {
    const { minStake, maxStake, state: life } = subnet;
    const epoch = networkEpochOf(state);
    all.push(
      check("The subnet is not paused", life !== "paused", "SubnetIsPaused"),
      check(
        `The stake is at least ${formatTensor(minStake)} TENSOR`,
        stake >= minStake && stake > 0n,
        "MinStakeNotReached",
        `The least is ${formatTensor(minStake)} TENSOR.`,
      ),
      check(
        `The stake is at most ${formatTensor(maxStake)} TENSOR`,
        stake <= maxStake,
        "MaxStakeReached",
        `The most is ${formatTensor(maxStake)} TENSOR.`,
      ),
    );
    if (life === "registered") {
      const registered = known(subnet.registrationEpoch, "registration epoch");
      const last = registered +
        await numberOf(state, "subnetRegistrationEpochs");
      all.push(check(
        "The subnet takes nodes now",
        epoch <= last,
        "SubnetMustBeRegisteringOrActivated",
        `It took nodes until network epoch ${last}.`,
      ));
    }
  }
  return {
    title: `Register a node in subnet ${subnetId}${
      subnet === undefined ? "" : ` (${subnet.name})`
    }.`,
    call: { name: "register_subnet_node", args },
    facts: [
      ["Hotkey", input.hotkey],
      ["Coldkey", coldkey],
      ...peersOf(input).map(([kind, { peerId, multiaddr }]) =>
        [`${kind} peer`, multiaddr ?? peerId] as const
      ),
      ["Stake", `${formatTensor(stake)} TENSOR, can be withdrawn later`],
      [
        "Burnt",
        `${formatTensor(burn)} TENSOR now, at most ${formatTensor(maxBurn)}`,
      ],
      ["Shared with delegators", formatFraction(input.delegateRewardRate)],
      [
        "Begins as",
        subnet?.state === "registered"
          ? "Validator, when the subnet is activated"
          : `Registered, in the queue for ${
            subnet?.subnetNodeQueueEpochs ?? "some"
          } epochs`,
      ],
    ],
    spends: stake + burn,
    checks: all,
    warnings: [],
  };
}

/** What the registration of a node burns now. */
export async function burnAmount(
  state: NetworkState,
  subnetId: number,
): Promise<bigint> {
  const [base, rate] = await Promise.all([
    amountOf(state, "baseNodeBurnAmount"),
    amountOf(state, "currentNodeBurnRate", subnetId),
  ]);
  return base * rate / ONE;
}

function peersOf(
  input: NodeInput,
): (readonly [kind: string, peer: PeerInput])[] {
  return ([
    ["Main", input.peer],
    ["Bootnode", input.bootnode],
    ["Client", input.client],
  ] as const).filter((pair): pair is ["Main", PeerInput] =>
    pair[1] !== undefined
  );
}

function addressesOf(input: NodeInput): string[] {
  return peersOf(input).flatMap(([, { multiaddr }]) => multiaddr ?? []);
}

function peersDiffer(input: NodeInput): Check[] {
  const ids = peersOf(input).map(([, { peerId }]) => peerId);
  return ids.length === 1 ? [] : [
    check(
      "The node's peers differ",
      new Set(ids).size === ids.length,
      "PeerIdExist",
    ),
  ];
}

async function hotkeyIsFree(
  state: NetworkState,
  hotkey: string,
): Promise<Check> {
  const owner = await state.account("hotkeyOwner", hotkey);
  return check(
    "The hotkey has no node yet",
    owner === undefined,
    "HotkeyHasOwner",
    `It belongs to ${owner}.`,
  );
}

/** A peer id belongs to one node only, whatever it does there. */
async function peerIsFree(
  state: NetworkState,
  { subnetId }: NodeInput,
  kind: string,
  { peerId }: PeerInput,
): Promise<Check> {
  const owners = await Promise.all(
    [
      "peerIdSubnetNodeId",
      "bootnodePeerIdSubnetNodeId",
      "clientPeerIdSubnetNodeId",
      "peerIdOverwatchNodeId",
    ].map((item) => state.number(item, subnetId, textHex(peerId))),
  );
  const owner = owners.find((id) => id !== undefined && id !== 0);
  return check(
    `The ${kind.toLowerCase()} peer belongs to no other node`,
    owner === undefined,
    "PeerIdExist",
    `${peerId} belongs to node ${owner}.`,
  );
}

async function addressIsFree(
  state: NetworkState,
  { subnetId }: NodeInput,
  multiaddr: string,
): Promise<Check> {
  const { addressHex, addressOwners } = state.layout;
  const owner = await state.number(
    addressOwners,
    subnetId,
    addressHex(multiaddr),
  );
  return check(
    `The address ${multiaddr} belongs to no other node`,
    !owner,
    "MultiaddrExist",
    `It belongs to node ${owner}.`,
  );
}

async function uniqueIsFree(
  state: NetworkState,
  subnetId: number,
  unique: string,
): Promise<Check> {
  const owner = await state
    .number("uniqueParamSubnetNodeId", subnetId, textHex(unique));
  return check(
    "No other node has the same unique data",
    !owner,
    "SubnetNodeUniqueParamTaken",
    `Node ${owner} has it.`,
  );
}

async function noOldStake(
  state: NetworkState,
  { hotkey, subnetId }: NodeInput,
): Promise<Check> {
  const left = await amountOf(state, "accountSubnetStake", hotkey, subnetId);
  return check(
    "The hotkey has no stake left from an earlier node",
    left === 0n,
    "MustUnstakeToRegister",
    `It has ${formatTensor(left)} TENSOR.`,
  );
}

async function queueHasRoom(
  state: NetworkState,
  subnetId: number,
): Promise<Check> {
  const [waiting = 0, most] = await Promise.all([
    state.read(
      "subnetNodeQueue",
      [subnetId],
      "a queue",
      (value) => list(value).length,
    ),
    numberOf(state, "maxRegisteredNodes", subnetId),
  ]);
  return check(
    "The queue has room",
    waiting <= most,
    "MaxRegisteredNodes",
    `${waiting} nodes wait; the most is ${most}.`,
  );
}

/** Before its activation a subnet takes nodes of the coldkeys it began with. */
async function coldkeyIsInvited(
  state: NetworkState,
  subnetId: number,
  coldkey: string,
): Promise<Check> {
  const what = "The coldkey may register nodes here";
  const read = (item: string) =>
    state.read(item, [subnetId], "a list of coldkeys", countsOf);
  const allowed = await read("subnetRegistrationInitialColdkeys");
  if (allowed === undefined) {
    return check(what, true, "ColdkeyRegistrationWhitelist");
  }
  const most = allowed.get(coldkey);
  if (most === undefined) {
    return check(what, false, "ColdkeyRegistrationWhitelist");
  }
  const done = (await read("initialColdkeyData"))?.get(coldkey) ?? 0;
  return check(
    what,
    done < most,
    "MaxRegisteredNodes",
    `It registered ${done} of ${most}.`,
  );
}

/** Numbers by account. */
function countsOf(value: unknown): Map<string, number> {
  return new Map(
    Object.entries(fieldsOf(value))
      .map(([key, count]) => [account(key), integer(count)]),
  );
}

function delegateAccountIsFit(input: NodeInput, coldkey: string): Check[] {
  const { delegateAccount, hotkey } = input;
  if (delegateAccount === undefined) return [];
  const { accountId, rate } = delegateAccount;
  return [
    check(
      "The account that shares in the rewards is not the hotkey",
      accountId !== hotkey,
      "DelegateAccountCannotBeHotkey",
    ),
    check(
      "The account that shares in the rewards is not the coldkey",
      accountId !== coldkey,
      "DelegateAccountCannotBeColdkey",
    ),
    check(
      "Its share is above 0 % and at most 100 %",
      rate > 0n && rate <= ONE,
      "InvalidDelegateAccountRate",
    ),
  ];
}
