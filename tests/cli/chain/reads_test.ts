import { bootnodesText } from "../../../src/cli/chain/bootnodes.ts";
import { holdingsText } from "../../../src/cli/chain/stake.ts";
import { detailsText as nodeText } from "../../../src/cli/chain/node.ts";
import { nodesText } from "../../../src/cli/chain/nodes.ts";
import { reputationText } from "../../../src/cli/chain/reputation.ts";
import {
  detailsText as subnetText,
  listText,
} from "../../../src/cli/chain/subnet.ts";
import { statusText } from "../../../src/cli/chain/status.ts";
import { jsonText } from "../../../src/cli/json.ts";
import { ONE } from "../../../src/chain/types.ts";
import { assert, assertEquals } from "../../assert.ts";
import { recordedState } from "./recorded_state.ts";

const SUBNET = 128_001;
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4";
const state = await recordedState();

Deno.test("a subnet is shown with state, nodes, stakes and bootnodes", async () => {
  const subnet = await state.subnet(SUBNET);
  assert(subnet);
  const { number } = state.block;
  assertEquals(
    subnetText(subnet, number, state.constants),
    `Subnet 128001: mesh-test1795495437568
  Repository   github.com/x/mesh-test1795495437568
  Description  d
  More         m
  State        active since network epoch 1, now 11
  Owner        0xf24ff3a9cf04c71dbc94d0b566f7a27b94566cac
  Slot         3
  Epoch        epoch 11: block 3 of 20 (10 % done), 18 blocks (about 1 min 48 s) to go

Nodes
  All                    4: 4 active, 4 validators
  Stake of a node        100 TENSOR to 1_000 TENSOR
  Stake of all           411.487504595930463487 TENSOR
  Queue                  3 epochs, at most 64 nodes
  Idle                   2 epochs
  Included               2 epochs
  Activated at once      4 nodes every 1 epoch
  Registered this epoch  0 of 64 expected
  Burn rate              100.02 %

Delegated
  All                   100_000.23267867081665656 TENSOR
  Must be               0 TENSOR
  Share of the rewards  10 %

Reputation
  Of the subnet           100 %
  Least of a node         10 %
  Lost by absence         10 %
  Lost without attesting  10 %
  Lost without proposing  5 %
  Lost without agreement  5 %
  Won by being included   10 %

Bootnodes
  ${PEER}B0uQyqXaaa  /ip4/127.0.0.1/tcp/8081/p2p/12D3KooWAxzCBFVtEyKLnRm43gHxigCoe2d4UmkRTXhBNSv5bcCx`,
  );
});

Deno.test("what a subnet's owner wrote cannot break out of its line", async () => {
  const subnet = await state.subnet(SUBNET);
  assert(subnet);
  const evil = { ...subnet, name: "a\u001b[2J\nb", description: "x\r\ny" };
  const { number } = state.block;
  const text = subnetText(evil, number, state.constants);
  assert(!text.includes("\u001b") && !text.includes("\r"), text);
  assertEquals(
    text.split("\n").length,
    subnetText(subnet, number, state.constants).split("\n").length,
  );
});

Deno.test("subnets are listed", async () => {
  assertEquals(
    listText(await state.subnets()).split("\n").map((line) => line.trim()),
    [
      "Id  Name                    State   Slot  Nodes  Active  Validators  Least stake  Repository",
      "128001  mesh-test1795495437568  active     3      4       4           4   100 TENSOR  github.com/x/mesh-test1795495437568",
      "",
      "1 subnet.",
    ],
  );
});

Deno.test("a node is shown with class, peers, stake and reputation", async () => {
  const node = await state.node(SUBNET, 1);
  assert(node);
  assertEquals(
    nodeText(node),
    `Subnet           128001
Id               1
Class            validator: may be elected, proposes and attests, earns
From             epoch 0
Hotkey           0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49
Coldkey          0x3cd0a705a2dc65e5b1e1205896baa2be8a07c6e0
Main peer        ${PEER}P0uQyqXaaa
Bootnode peer    ${PEER}Q0uQyqXaaa
Client peer      ${PEER}C0uQyqXaaa
Stake            104.661853041103461019 TENSOR
Delegated to it  0 TENSOR, which earns 0 % of its rewards
Reputation       100 %
Of its coldkey   50 %, 1 active node of 1 ever`,
  );
  const json = JSON.parse(jsonText(node));
  assertEquals(json.stakeBalance, "104661853041103461019");
  assertEquals(json.classification, { nodeClass: "validator", startEpoch: 0 });
});

Deno.test("an owner's data is shown as text where it is one, else as hex", async () => {
  const node = await state.node(SUBNET, 1);
  assert(node);
  const text = nodeText({
    ...node,
    unique: new TextEncoder().encode("gpu-7"),
    nonUnique: Uint8Array.of(0xff, 0),
    delegateAccount: { accountId: `0x${"1".repeat(40)}`, rate: ONE / 4n },
    identity: { ...node.identity, name: "Somebody", huggingFace: "hf" },
  });
  for (
    const line of [
      "Unique data          gpu-7",
      "Other data           0xff00",
      `Shares rewards with  0x${"1".repeat(40)}, 25 %`,
      "Owner's name         Somebody",
      "Owner's huggingFace  hf",
    ]
  ) assert(text.includes(line), text);
});

Deno.test("bootnodes are listed with addresses that can be dialled", async () => {
  const { subnet } = await state.bootnodes(SUBNET);
  const text = bootnodesText([
    ...subnet.map((each) => ({ ...each, of: "subnet" }) as const),
    {
      peerId: "12D3KooWother",
      multiaddr: "/ip4/192.0.2.1/tcp/1",
      of: "node",
    },
    { peerId: "12D3KooWbad", multiaddr: "/ip4/1\u001b[2J", of: "queued node" },
  ]);
  const [heading, first, second, third] = text.split("\n");
  assert(heading?.startsWith("Of           Peer"), text);
  assert(
    first?.endsWith(
      "/p2p/12D3KooWAxzCBFVtEyKLnRm43gHxigCoe2d4UmkRTXhBNSv5bcCx",
    ),
  );
  assert(second?.endsWith("/ip4/192.0.2.1/tcp/1/p2p/12D3KooWother"), text);
  assert(third?.endsWith("none"), text);
  assertEquals(bootnodesText([]), "There are no bootnodes.");
});

Deno.test("reputations are listed, the lowest first", async () => {
  const nodes = await state.nodes(SUBNET);
  const low = nodes.map((node) =>
    node.subnetNodeId === 3 ? { ...node, subnetNodeReputation: ONE / 3n } : node
  );
  const lines = reputationText(ONE, ONE / 10n, low).split("\n");
  assertEquals(lines.slice(0, 3), [
    "Of the subnet    100 %",
    "Least of a node  10 %",
    "",
  ]);
  assertEquals(
    lines.slice(4).map((line) => line.trim().split(/\s+/)[0]),
    ["3", "1", "2", "4"],
  );
  assert(lines[4]?.includes("33.33 %"));
});

Deno.test("nodes are listed with a sum by class", () => {
  const node = {
    id: 1,
    hotkey: `0x${"a".repeat(40)}`,
    coldkey: `0x${"b".repeat(40)}`,
    peer: { peerId: "12D3KooWa", multiaddr: undefined },
    bootnode: undefined,
    client: undefined,
    nodeClass: "validator",
    startEpoch: 4,
    stake: 100n * ONE,
    reputation: ONE,
  } as const;
  const lines = nodesText([
    node,
    { ...node, id: 12, nodeClass: "idle", stake: ONE / 2n },
  ]).split("\n");
  assertEquals(
    lines[1],
    `${" 1  validator     4             100       100 %"}  ${node.hotkey}  12D3KooWa`,
  );
  assertEquals(lines.at(-1), "2 nodes: 1 idle, 1 validator.");
  assert(nodesText([]).endsWith("There are none."));
});

Deno.test("holdings are listed with what can be collected, and summed", () => {
  const text = holdingsText(
    {
      account: `0x${"c".repeat(40)}`,
      free: ONE,
      owner: undefined,
      stakes: [
        { hotkey: "0xh1", subnetId: 7, nodeId: 2, stake: 100n * ONE },
        { hotkey: "0xh2", subnetId: 7, nodeId: undefined, stake: ONE },
      ],
      delegated: [{ subnetId: 7, shares: 5n, balance: 2n * ONE }],
      nodeDelegated: [
        { subnetId: 7, subnetNodeId: 3, shares: 6n, balance: 3n * ONE },
      ],
      unbondings: [
        { block: 90, amount: 4n * ONE },
        { block: 110, amount: 5n * ONE },
      ],
    },
    100,
    6_000,
  );
  for (
    const part of [
      "Stake of node 2 in subnet 7",
      "Stake in subnet 7, node removed",
      "Delegated to subnet 7",
      "Delegated to node 3 in subnet 7",
      "can be collected",
      "from block 110, in about 1 min",
      "116 TENSOR in all.",
    ]
  ) assert(text.includes(part), text);
});

Deno.test("the chain's state is told in words", () => {
  const text = statusText({
    name: "Hoskinson Testnet",
    endpoint: "ws://127.0.0.1:9944",
    runtime: { layout: "R26", specVersion: 1, transactionVersion: 1 },
    block: { number: 225, hash: "0xab" },
    time: 1_000_000,
    constants: state.constants,
    networkEpoch: 11,
    network: {
      subnets: 2,
      activeSubnets: 1,
      nodes: 5,
      activeNodes: 4,
      paused: true,
    },
  }, 1_003_000);
  for (
    const part of [
      "225, 3 s ago",
      "11: block 6 of 20, 15 blocks (about 1 min 30 s) to go",
      "version 1, layout R26",
      "2, 1 active",
      "paused by the network",
    ]
  ) assert(text.includes(part), text);
});
