import { ONE } from "../../../mod.ts";
import {
  planDelegate,
  planDonate,
  planTransfer,
  planUndelegate,
} from "../../../src/chain/hypertensor/plans/delegation.ts";
import {
  planRemoveNode,
  planUpdateColdkey,
  planUpdateHotkey,
} from "../../../src/chain/hypertensor/plans/node.ts";
import type { Plan } from "../../../src/chain/hypertensor/plans/plan.ts";
import { planRegisterNode } from "../../../src/chain/hypertensor/plans/register_node.ts";
import { registrationCost } from "../../../src/chain/hypertensor/plans/register_subnet.ts";
import {
  planAddStake,
  planClaim,
  planRemoveStake,
} from "../../../src/chain/hypertensor/plans/stake.ts";
import {
  planActivateSubnet,
  planPauseSubnet,
  planRemoveSubnet,
  planUnpauseSubnet,
  planUpdateBootnodes,
} from "../../../src/chain/hypertensor/plans/subnet.ts";
import {
  describeNetworkCall,
  encodeNetworkCall,
} from "../../../src/chain/hypertensor/network_call.ts";
import { explainCallError } from "../../../src/chain/call_errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { SettableState } from "./settable_state.ts";

const SUBNET = 7;
const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
const COLDKEY = account(1);
const HOTKEY = account(2);
const OTHER = account(3);
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4P0uQyqXaaa";
const hex = (text: string) => `0x${new TextEncoder().encode(text).toHex()}`;

/** Names of the errors that the chain would answer. */
function errors({ checks }: Plan): string[] {
  for (const { error } of checks) assert(explainCallError(error), error);
  return checks.filter(({ holds }) => !holds).map(({ error }) => error);
}

/** The plan's call as its bytes say; that it can be encoded is part of it. */
function called(state: ReturnType<SettableState["at"]>, { call }: Plan) {
  return describeNetworkCall(state.types, encodeNetworkCall(state.types, call));
}

/** A network with one active subnet, owned by the coldkey. */
async function network(
  subnet: Record<string, unknown> = {},
): Promise<SettableState> {
  const state = await SettableState.of();
  return setSubnet(state, subnet)
    .set("subnetSlot", [SUBNET], 3)
    .set("subnetMinStakeBalance", [SUBNET], 100n * ONE)
    .set("subnetMaxStakeBalance", [SUBNET], 1_000n * ONE)
    .set("hotkeyOwner", [HOTKEY], COLDKEY)
    .set("hotkeySubnetNodeId", [SUBNET, HOTKEY], 5)
    .set("subnetNodeIdHotkey", [SUBNET, 5], HOTKEY)
    .set("accountSubnetStake", [HOTKEY, SUBNET], 150n * ONE)
    .answer("get_subnet_node_info", "Option<SubnetNodeInfo>", {
      subnetId: SUBNET,
      subnetNodeId: 5,
      classification: { nodeClass: "Validator", startEpoch: 0 },
    });
}

function setSubnet(
  state: SettableState,
  subnet: Record<string, unknown>,
): SettableState {
  const info = {
    id: SUBNET,
    name: hex("seven"),
    state: "Active",
    owner: COLDKEY,
    minStake: 100n * ONE,
    maxStake: 1_000n * ONE,
    reputation: ONE,
    totalActiveNodes: 3,
    ...subnet,
  };
  return state
    .set("subnetsData", [SUBNET], { id: SUBNET, state: info.state })
    .answer("get_subnet_info", "Option<SubnetInfo>", info);
}

Deno.test("stake is added within the bounds of the subnet, by the owner", async () => {
  const settable = await network();
  const state = settable.at(200);
  const input = { subnetId: SUBNET, hotkey: HOTKEY, amount: 50n * ONE };
  const plan = await planAddStake(state, COLDKEY, input);
  assertEquals(errors(plan), []);
  assertEquals(plan.spends, 50n * ONE);
  assertEquals(called(state, plan).args["subnetNodeId"], 5);
  const fails = async (signer: string, change: Partial<typeof input>) =>
    errors(await planAddStake(state, signer, { ...input, ...change }));
  assertEquals(await fails(OTHER, {}), ["NotKeyOwner"]);
  assertEquals(await fails(COLDKEY, { amount: 851n * ONE }), [
    "MaxStakeReached",
  ]);
  assertEquals(await fails(COLDKEY, { amount: 0n }), ["InvalidAmount"]);
  assert((await fails(COLDKEY, { subnetId: 9 })).includes("InvalidSubnetId"));
  settable.set("txPause", [], true).set("txRateLimit", [], 10)
    .set("lastTxBlock", [COLDKEY], 195);
  assertEquals(
    errors(await planAddStake(settable.at(200), COLDKEY, input)),
    ["Paused", "TxRateLimitExceeded"],
  );
});

Deno.test("a node keeps the least stake; what is withdrawn waits", async () => {
  const settable = await network();
  settable.set("stakeCooldownEpochs", [], 2)
    .set("minActiveNodeStakeEpochs", [], 4).set("maxUnbondings", [], 32);
  const state = settable.at(200);
  const input = { subnetId: SUBNET, hotkey: HOTKEY, amount: 50n * ONE };
  const plan = await planRemoveStake(state, COLDKEY, input);
  assertEquals(errors(plan), []);
  assertEquals(plan.spends, 0n);
  assert(plan.facts.some(([, value]) => value.includes("block 241")));
  const fails = async (amount: bigint, at = 200) =>
    errors(
      await planRemoveStake(settable.at(at), COLDKEY, { ...input, amount }),
    );
  const all = await planRemoveStake(state, COLDKEY, {
    ...input,
    amount: "all",
  });
  assertEquals(errors(all), []);
  assertEquals(called(state, all).args["stakeToBeRemoved"], String(50n * ONE));
  assertEquals(await fails(51n * ONE), ["MinStakeNotReached"]);
  assertEquals(await fails(151n * ONE), [
    "NotEnoughStakeToWithdraw",
    "MinStakeNotReached",
  ]);
  assertEquals(await fails(0n), ["AmountZero"]);
  // Subnet epoch 3: it was active for too short.
  assertEquals(await fails(ONE, 70), ["MinActiveNodeStakeEpochs"]);
  settable.set("subnetElectedValidator", [SUBNET, 9], 5)
    .set("maxUnbondings", [], 1)
    .set("stakeUnbondingLedger", [COLDKEY], new Map([[900, ONE]]));
  assertEquals(await fails(ONE), [
    "MaxUnlockingsReached",
    "ElectedValidatorCannotUnstake",
  ]);
});

Deno.test("only what is due can be collected", async () => {
  const settable = await network();
  const none = await planClaim(settable.at(100), COLDKEY);
  assertEquals(errors(none), ["NoStakeUnbondingsOrCooldownNotMet"]);
  settable.set(
    "stakeUnbondingLedger",
    [COLDKEY],
    new Map([[101, ONE], [90, 2n * ONE], [102, 4n * ONE]]),
  );
  const plan = await planClaim(settable.at(100), COLDKEY);
  assertEquals(errors(plan), []);
  // The next block is 101, and can pay what is due in it.
  assertEquals(plan.title, "Collect 3 TENSOR that were withdrawn.");
  assertEquals(errors(await planClaim(settable.at(80), COLDKEY)), [
    "NoStakeUnbondingsOrCooldownNotMet",
  ]);
});

Deno.test("delegated stake is counted in shares, as the chain counts", async () => {
  const settable = await network();
  settable.set(
    "accountSubnetDelegateStakeShares",
    [OTHER, SUBNET],
    1_000n * ONE,
  )
    .set("totalSubnetDelegateStakeShares", [SUBNET], 4_000n * ONE)
    .set("totalSubnetDelegateStakeBalance", [SUBNET], 8_000n * ONE)
    .set("minDelegateStakeDeposit", [], ONE).set("maxUnbondings", [], 32);
  const state = settable.at(100);
  const of = (amount: bigint) => ({ subnetId: SUBNET, amount });
  const more = await planDelegate(state, OTHER, of(5n * ONE));
  assertEquals(errors(more), []);
  assertEquals(more.spends, 5n * ONE);
  assertEquals(errors(await planDelegate(state, OTHER, of(ONE - 1n))), [
    "MinDelegateStakeDepositNotReached",
  ]);
  // A share is worth two.
  const half = await planUndelegate(state, OTHER, of(1_000n * ONE));
  assertEquals(errors(half), []);
  const shares = BigInt(String(called(state, half).args["sharesToBeRemoved"]));
  assert(shares >= 500n * ONE && shares < 500n * ONE + 10n, String(shares));
  const all = await planUndelegate(state, OTHER, {
    subnetId: SUBNET,
    amount: "all",
  });
  assertEquals(errors(all), []);
  assertEquals(
    called(state, all).args["sharesToBeRemoved"],
    String(1_000n * ONE),
  );
  assertEquals(errors(await planUndelegate(state, OTHER, of(2_001n * ONE))), [
    "NotEnoughStakeToWithdraw",
  ]);
  assertEquals(errors(await planUndelegate(state, OTHER, of(0n))), [
    "SharesZero",
  ]);
  // The chain itself would let more be handed over than there is.
  const transfer = (amount: bigint | "all", to: string) =>
    planTransfer(state, OTHER, { subnetId: SUBNET, amount, to });
  assertEquals(errors(await transfer(100n * ONE, HOTKEY)), []);
  assertEquals(errors(await transfer("all", HOTKEY)), []);
  assertEquals(errors(await transfer(3_000n * ONE, HOTKEY)), [
    "NotEnoughStakeToWithdraw",
  ]);
  assertEquals(errors(await transfer(100n * ONE, OTHER)), [
    "TransferToSelfNotAllowed",
  ]);
  const gift = await planDonate(state, OTHER, of(2n * ONE));
  assertEquals(errors(gift), []);
  assertEquals(called(state, gift).name, "Network.donate_delegate_stake");
  assertEquals(errors(await planDonate(state, OTHER, of(1n))), [
    "MinDelegateStake",
  ]);
});

Deno.test("a node is removed by its keys, unless it is elected", async () => {
  const settable = await network();
  const remove = async (signer: string, nodeId = 5) =>
    errors(
      await planRemoveNode(settable.at(200), signer, {
        subnetId: SUBNET,
        nodeId,
      }),
    );
  assertEquals(await remove(COLDKEY), []);
  assertEquals(await remove(HOTKEY), []);
  assertEquals(await remove(OTHER), ["NotKeyOwner"]);
  assertEquals(await remove(COLDKEY, 6), ["InvalidSubnetNodeId"]);
  settable.set("subnetElectedValidator", [SUBNET, 9], 5);
  assertEquals(await remove(COLDKEY), ["ElectedValidatorCannotRemove"]);
});

Deno.test("keys are exchanged by the owner, and what goes with them is told", async () => {
  const settable = await network();
  const state = settable.at(200);
  const hotkey = await planUpdateHotkey(state, COLDKEY, {
    from: HOTKEY,
    to: OTHER,
  });
  assertEquals(errors(hotkey), []);
  const to = async (to: string, signer = COLDKEY) =>
    errors(await planUpdateHotkey(state, signer, { from: HOTKEY, to }));
  assertEquals(await to(COLDKEY), ["ColdkeyMatchesHotkey"]);
  assertEquals(await to(HOTKEY), ["HotkeyHasOwner"]);
  assertEquals(await to(account(9), OTHER), ["NotKeyOwner"]);
  settable.set("coldkeyHotkeys", [COLDKEY], [HOTKEY, account(8)])
    .set("coldkeyHotkeys", [OTHER], [account(9)]);
  const coldkey = await planUpdateColdkey(settable.at(201), COLDKEY, {
    hotkey: HOTKEY,
    to: OTHER,
  });
  assertEquals(errors(coldkey), []);
  assertEquals(coldkey.warnings.length, 3);
  assertEquals(
    errors(
      await planUpdateColdkey(state, COLDKEY, { hotkey: HOTKEY, to: HOTKEY }),
    ),
    ["ColdkeyMatchesHotkey"],
  );
});

Deno.test("before its activation a subnet takes nodes of invited coldkeys only, in time", async () => {
  const settable = await network({
    state: "Registered",
    registrationEpoch: 10,
  });
  settable.set("subnetRegistrationEpochs", [], 5)
    .set("maxRegisteredNodes", [SUBNET], 64)
    .set(
      "subnetRegistrationInitialColdkeys",
      [SUBNET],
      new Map([[COLDKEY, 2]]),
    );
  const register = async (signer: string, block: number) =>
    errors(
      await planRegisterNode(settable.at(block), signer, {
        subnetId: SUBNET,
        hotkey: account(50),
        peer: { peerId: PEER },
        delegateRewardRate: 0n,
        stake: 100n * ONE,
        maxBurn: ONE,
      }),
    );
  assertEquals(await register(COLDKEY, 250), []);
  assertEquals(await register(OTHER, 250), ["ColdkeyRegistrationWhitelist"]);
  assertEquals(await register(COLDKEY, 320), [
    "SubnetMustBeRegisteringOrActivated",
  ]);
  settable.set("initialColdkeyData", [SUBNET], new Map([[COLDKEY, 2]]));
  assertEquals(await register(COLDKEY, 250), ["MaxRegisteredNodes"]);
});

Deno.test("peers, addresses and data that another node has are found before they cost anything", async () => {
  const settable = await network();
  settable.set("maxRegisteredNodes", [SUBNET], 64);
  const address =
    `/ip4/192.0.2.1/tcp/1/p2p/${"12D3KooWAxzCBFVtEyKLnRm43gHxigCoe2d4UmkRTXhBNSv5bcCx"}`;
  const state = settable.at(200);
  const input = {
    subnetId: SUBNET,
    hotkey: account(50),
    peer: { peerId: PEER },
    bootnode: {
      peerId: "12D3KooWAxzCBFVtEyKLnRm43gHxigCoe2d4UmkRTXhBNSv5bcCx",
      multiaddr: address,
    },
    delegateRewardRate: ONE / 10n,
    stake: 100n * ONE,
    unique: "mine",
    delegateAccount: { accountId: OTHER, rate: ONE / 2n },
    maxBurn: ONE,
  };
  const plan = await planRegisterNode(state, COLDKEY, input);
  assertEquals(errors(plan), []);
  const { args } = called(state, plan);
  assertEquals(args["unique"], "mine");
  const delegate = args["delegateAccount"] as Record<string, unknown>;
  assertEquals(delegate["rate"], String(ONE / 2n));
  settable.set("bootnodePeerIdSubnetNodeId", [SUBNET, hex(PEER)], 4)
    .set("multiaddrSubnetNodeId", [SUBNET, state.layout.addressHex(address)], 4)
    .set("uniqueParamSubnetNodeId", [SUBNET, hex("mine")], 4);
  assertEquals(
    errors(
      await planRegisterNode(settable.at(201), COLDKEY, {
        ...input,
        delegateAccount: { accountId: COLDKEY, rate: 0n },
      }),
    ),
    [
      "PeerIdExist",
      "MultiaddrExist",
      "SubnetNodeUniqueParamTaken",
      "DelegateAccountCannotBeColdkey",
      "InvalidDelegateAccountRate",
    ],
  );
});

Deno.test("the earlier layout asks for three peers and takes fewer things", async () => {
  const settable = setSubnet(await SettableState.of("r25"), {});
  const state = settable.at(200);
  const input = {
    subnetId: SUBNET,
    hotkey: account(50),
    peer: { peerId: PEER },
    delegateRewardRate: 0n,
    stake: 100n * ONE,
    maxBurn: ONE,
  };
  await assertRejects(planRegisterNode(state, COLDKEY, input), {
    code: "CALL_INPUT",
  });
  const three = {
    ...input,
    bootnode: { peerId: `${PEER}b`, multiaddr: "/ip4/192.0.2.1/tcp/1" },
    client: { peerId: `${PEER}c` },
  };
  const { args } = called(state, await planRegisterNode(state, COLDKEY, three));
  assertEquals(args["bootnodePeerId"], `${PEER}b`);
  assertEquals(args["bootnode"], "/ip4/192.0.2.1/tcp/1");
  for (
    const more of [
      { delegateAccount: { accountId: OTHER, rate: ONE } },
      { peer: { peerId: PEER, multiaddr: "/ip4/192.0.2.1/tcp/1" } },
    ]
  ) {
    await assertRejects(
      planRegisterNode(state, COLDKEY, { ...three, ...more }),
      {
        code: "CALL_INPUT",
      },
    );
  }
});

Deno.test("a subnet is activated in its time, and never where the call would remove it", async () => {
  const activate = async (
    subnet: Record<string, unknown>,
    block: number,
    signer = COLDKEY,
  ) => {
    const settable = await network({
      state: "Registered",
      registrationEpoch: 10,
      ...subnet,
    });
    settable.set("minSubnetRegistrationEpochs", [], 2)
      .set("subnetRegistrationEpochs", [], 5)
      .set("subnetEnactmentEpochs", [], 3)
      .set("minSubnetNodes", [], 3);
    return await planActivateSubnet(settable.at(block), signer, SUBNET);
  };
  assertEquals(errors(await activate({}, 250)), []);
  assertEquals(errors(await activate({}, 250, OTHER)), ["NotSubnetOwner"]);
  assertEquals(errors(await activate({}, 210)), [
    "MinSubnetRegistrationEpochsNotMet",
  ]);
  const poor = { totalActiveNodes: 2, currentMinDelegateStake: ONE };
  const early = await activate(poor, 250);
  assertEquals(errors(early), [
    "SubnetActivationConditionsNotMetYet",
    "SubnetActivationConditionsNotMetYet",
  ]);
  // After the registration the chain takes a failure for the end.
  const late = await activate(poor, 330);
  assertEquals(errors(late).length, 3);
  assert(late.checks.some(({ found }) => found?.includes("removes it")));
  assertEquals(errors(await activate({}, 330)), []);
  const over = await activate({}, 400);
  assertEquals(errors(over), ["SubnetActivationConditionsNotMetYet"]);
  assertEquals(errors(await activate({ state: "Active" }, 250)), [
    "SubnetActivatedAlready",
  ]);
});

Deno.test("a subnet is paused, goes on, and is removed, by its owner", async () => {
  const settable = await network({ prevPauseEpoch: 2 });
  settable.set("subnetPauseCooldownEpochs", [], 5);
  const pause = async (block: number, signer = COLDKEY) =>
    errors(await planPauseSubnet(settable.at(block), signer, SUBNET));
  assertEquals(await pause(140), []);
  assertEquals(await pause(139), ["SubnetPauseCooldownActive"]);
  assertEquals(await pause(140, OTHER), ["NotSubnetOwner"]);
  const on = async () =>
    errors(await planUnpauseSubnet(settable.at(150), COLDKEY, SUBNET));
  assertEquals(await on(), ["SubnetMustBePaused"]);
  setSubnet(settable, { state: "Paused" });
  assertEquals(
    errors(await planUnpauseSubnet(settable.at(151), COLDKEY, SUBNET)),
    [],
  );
  const state = settable.at(152);
  const removal = await planRemoveSubnet(state, COLDKEY, SUBNET);
  assertEquals(errors(removal), []);
  assertEquals(called(state, removal).name, "Network.owner_deactivate_subnet");
  assert(removal.warnings[0]?.includes("cannot be undone"));
});

Deno.test("bootnodes are changed by those who may, within the most", async () => {
  const settable = await network({
    bootnodes: [[hex(PEER), "0x047f000001061f91"]],
    bootnodeAccess: [OTHER],
  });
  settable.set("maxBootnodes", [], 1);
  const add = {
    peerId: "12D3KooWAxzCBFVtEyKLnRm43gHxigCoe2d4UmkRTXhBNSv5bcCx",
    multiaddr:
      "/ip4/192.0.2.1/tcp/1/p2p/12D3KooWAxzCBFVtEyKLnRm43gHxigCoe2d4UmkRTXhBNSv5bcCx",
  };
  const change = async (signer: string, remove: string[]) =>
    await planUpdateBootnodes(settable.at(100), signer, {
      subnetId: SUBNET,
      add: [add],
      remove,
    });
  assertEquals(errors(await change(COLDKEY, [PEER])), []);
  assertEquals(errors(await change(OTHER, [PEER])), []);
  assertEquals(errors(await change(HOTKEY, [PEER])), ["InvalidAccess"]);
  const full = await change(COLDKEY, ["12D3KooWnone"]);
  assertEquals(errors(full), ["TooManyBootnodes"]);
  assert(full.warnings[0]?.includes("12D3KooWnone"));
});

Deno.test("the cost of a subnet falls from the last one to the least", async () => {
  const settable = await SettableState.of();
  settable.set("lastRegistrationCost", [], 200n * ONE)
    .set("minRegistrationCost", [], 100n * ONE)
    .set("lastSubnetRegistrationBlock", [], 1_000)
    .set("registrationCostDecayBlocks", [], 400)
    .set("registrationCostAlpha", [], ONE / 2n);
  assertEquals(await registrationCost(settable.at(999)), 200n * ONE);
  // A quarter of the time is left, and its root is a half.
  assertEquals(await registrationCost(settable.at(1_299)), 150n * ONE);
  assertEquals(await registrationCost(settable.at(1_399)), 100n * ONE);
  assertEquals(await registrationCost(settable.at(9_999)), 100n * ONE);
  settable.set("registrationCostDecayBlocks", [], 0);
  assertEquals(await registrationCost(settable.at(1_001)), 200n * ONE);
});
