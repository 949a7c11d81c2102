import { ONE } from "../../../mod.ts";
import {
  overwatchEpoch,
  overwatchNodes,
  overwatchWeights,
} from "../../../src/chain/hypertensor/overwatch.ts";
import { holdingsOf } from "../../../src/chain/hypertensor/holdings.ts";
import {
  overwatchEpochText,
  overwatchNodesText,
  overwatchWeightsText,
} from "../../../src/cli/chain/overwatch.ts";
import { assert, assertEquals } from "../../assert.ts";
import { SettableState } from "./settable_state.ts";

const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
const hex = (text: string) => `0x${new TextEncoder().encode(text).toHex()}`;

Deno.test("an overwatch epoch has a time to commit and a time to reveal", async () => {
  const settable = await SettableState.of();
  settable.set("overwatchEpochLengthMultiplier", [], 2)
    .set("overwatchCommitCutoffPercent", [], ONE * 8n / 10n);
  // Epochs of 20 blocks: an overwatch epoch has 40.
  const at = async (block: number) => await overwatchEpoch(settable.at(block));
  assertEquals(await at(85), {
    epoch: 2,
    firstBlock: 80,
    cutoffBlock: 112,
    nextBlock: 120,
    phase: "commit",
  });
  assertEquals((await at(111)).phase, "commit");
  assertEquals((await at(112)).phase, "reveal");
  assertEquals((await at(119)).epoch, 2);
  assertEquals((await at(120)).epoch, 3);
  assert(
    overwatchEpochText(await at(110), 110, 6_000)
      .includes("nodes commit weights, for 2 blocks more (about 12 s)"),
  );
  settable.set("overwatchEpochLengthMultiplier", [], 0);
  assertEquals((await at(25)).epoch, 1);
});

Deno.test("overwatch nodes are listed with keys, stake and peers", async () => {
  const settable = await SettableState.of();
  assertEquals(
    overwatchNodesText(await overwatchNodes(settable.at(1))),
    "There are no overwatch nodes.",
  );
  for (const id of [12, 3]) {
    settable.set("overwatchNodes", [id], { id, hotkey: account(id) });
  }
  settable.set("hotkeyOwner", [account(3)], account(30))
    .set("accountOverwatchStake", [account(3)], 7n * ONE)
    .set("overwatchNodeIndex", [3], new Map([[128_001, hex("12D3KooWow")]]));
  const nodes = await overwatchNodes(settable.at(2));
  assertEquals(nodes.map(({ id }) => id), [3, 12]);
  assertEquals(nodes[0], {
    id: 3,
    hotkey: account(3),
    coldkey: account(30),
    stake: 7n * ONE,
    peers: new Map([[128_001, "12D3KooWow"]]),
  });
  assertEquals(nodes[1]?.coldkey, undefined);
  const text = overwatchNodesText(nodes);
  assert(text.includes("128001: 12D3KooWow") && text.includes("nobody"), text);
});

Deno.test("commits and reveals are listed by subnet", async () => {
  const settable = await SettableState.of();
  const hash = `0x${"ab".repeat(32)}`;
  settable.answer("get_all_subnets_info", "Vec<SubnetInfo>", [
    { id: 1 },
    { id: 2 },
    { id: 3 },
  ]).set("overwatchCommits", [5, 9, 1], hash)
    .set("overwatchCommits", [5, 9, 3], hash)
    .set("overwatchReveals", [5, 9, 3], ONE / 4n);
  const weights = await overwatchWeights(settable.at(1), 5, 9);
  assertEquals(weights, [
    { subnetId: 1, commit: hash, weight: undefined },
    { subnetId: 3, commit: hash, weight: ONE / 4n },
  ]);
  const text = overwatchWeightsText(5, weights);
  assert(text.includes("not revealed") && text.includes("25 %"), text);
  assertEquals(
    overwatchWeightsText(6, await overwatchWeights(settable.at(2), 6, 9)),
    "Nothing was committed in overwatch epoch 6.",
  );
});

Deno.test("all that an account holds is found, also of nodes that were removed", async () => {
  const settable = await SettableState.of();
  const coldkey = account(1);
  const [first, second, third] = [account(11), account(12), account(13)];
  settable.set("coldkeyHotkeys", [coldkey], [first, second, third])
    .set("hotkeySubnetId", [first], 7).set("hotkeySubnetId", [second], 7)
    .set("hotkeySubnetNodeId", [7, first], 4)
    .set("accountSubnetStake", [first, 7], 100n * ONE)
    .set("accountSubnetStake", [second, 7], 50n * ONE)
    .set("hotkeyOwner", [first], coldkey)
    .set("stakeUnbondingLedger", [coldkey], new Map([[30, ONE], [20, ONE]]))
    .answer("get_delegate_stakes", "Vec<DelegateStakeInfo>", [
      { subnetId: 9, shares: 3n, balance: 4n },
      { subnetId: 8, shares: 1n, balance: 2n },
    ])
    .answer("get_node_delegate_stakes", "Vec<NodeDelegateStakeInfo>", []);
  const holdings = await holdingsOf(settable.at(10), coldkey);
  assertEquals(holdings.stakes, [
    { hotkey: first, subnetId: 7, nodeId: 4, stake: 100n * ONE },
    { hotkey: second, subnetId: 7, nodeId: undefined, stake: 50n * ONE },
    { hotkey: third, subnetId: undefined, nodeId: undefined, stake: 0n },
  ]);
  assertEquals(holdings.delegated.map(({ subnetId }) => subnetId), [8, 9]);
  assertEquals(holdings.unbondings.map(({ block }) => block), [20, 30]);
  const hotkey = await holdingsOf(settable.at(10), first);
  assertEquals(hotkey.owner, coldkey);
  assertEquals(hotkey.stakes.map(({ nodeId }) => nodeId), [4]);
});
