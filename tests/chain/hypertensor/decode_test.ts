import { ONE } from "../../../mod.ts";
import {
  storedAmount,
  storedInteger,
  storedNode,
  storedSubmission,
  storedSubnet,
} from "../../../src/chain/hypertensor/decode.ts";
import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import { ChainStorage } from "../../../src/chain/hypertensor/storage.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import {
  recordedAnswer,
  recordedMetadata,
} from "../../fixtures/chain/fixtures.ts";

const types = readMetadata(await recordedMetadata("r26"));
const storage = new ChainStorage(types);
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4";

async function read(label: string, item: string) {
  const { result } = await recordedAnswer(label);
  const value = storage.decode("network", item, result);
  assert(value);
  return value;
}

Deno.test("a node is read with its peers and its class", async () => {
  const node = storedNode(await read("node data", "subnetNodesData"), "R26");
  assert(node);
  assertEquals(node.id, 1);
  assertEquals(node.hotkey, "0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49");
  assertEquals(node.peer.peerId, `${PEER}P0uQyqXaaa`);
  assertEquals(node.bootnode?.peerId, `${PEER}Q0uQyqXaaa`);
  assertEquals(node.nodeClass, "validator");
  assertEquals(node.startEpoch, 0);
});

Deno.test("a node that is not there reads as none", () => {
  const none = storage.decode("network", "subnetNodesData", null);
  assert(none);
  assertEquals(storedNode(none, "R26"), undefined);
});

Deno.test("a proposal is read with scores, attestations and electorate", async () => {
  const submission = storedSubmission(
    await read("consensus submission", "subnetConsensusSubmission"),
    "R26",
  );
  assertEquals(submission.validatorId, 1);
  assertEquals(submission.block, 224);
  assertEquals(
    submission.scores,
    [1, 2, 3, 4].map((nodeId) => ({ nodeId, score: ONE })),
  );
  assertEquals([...submission.attestations.keys()][0], 1);
  assertEquals(submission.attestations.size, 4);
  assertEquals(submission.electorate, [1, 2, 3, 4]);
  assertEquals(submission.removeQueueNodeId, undefined);
});

Deno.test("a subnet, amounts and numbers are read", async () => {
  const subnet = storedSubnet(await read("subnet data", "subnetsData"));
  assertEquals(subnet.id, 128_001);
  assertEquals(subnet.state, "active");
  assert(subnet.name.startsWith("mesh-test"));
  assertEquals(
    storedAmount(await read("min stake", "subnetMinStakeBalance")),
    100n * ONE,
  );
  assertEquals(storedInteger(await read("slot", "subnetSlot")), 3);
});

Deno.test("the earlier layout has other fields for the same", async () => {
  const earlier = readMetadata(await recordedMetadata("r25"));
  const none = new ChainStorage(earlier)
    .decode("network", "subnetNodesData", null);
  assert(none);
  const text = (value: string) =>
    `0x${new TextEncoder().encode(value).toHex()}`;
  const value = earlier.registry.createType(none.toRawType(), {
    ...none.toJSON() as object,
    id: 7,
    hotkey: `0x${"11".repeat(20)}`,
    peerId: text(`${PEER}P0uQyqXaaa`),
    bootnodePeerId: text(`${PEER}Q0uQyqXaaa`),
    clientPeerId: text(`${PEER}C0uQyqXaaa`),
    bootnode: text("/ip4/127.0.0.1/tcp/1"),
    classification: { nodeClass: "Idle", startEpoch: 5 },
  });
  const node = storedNode(value, "R25");
  assertEquals(node, {
    id: 7,
    hotkey: `0x${"11".repeat(20)}`,
    peer: { peerId: `${PEER}P0uQyqXaaa`, multiaddr: undefined },
    bootnode: {
      peerId: `${PEER}Q0uQyqXaaa`,
      multiaddr: "/ip4/127.0.0.1/tcp/1",
    },
    client: { peerId: `${PEER}C0uQyqXaaa`, multiaddr: undefined },
    nodeClass: "idle",
    startEpoch: 5,
  });
});

Deno.test("a value of another kind is refused by name", async () => {
  const slot = await read("slot", "subnetSlot");
  for (
    const decode of [
      () => storedNode(slot, "R26"),
      () => storedSubnet(slot),
      () => storedSubmission(slot, "R26"),
    ]
  ) assertThrows(decode, { code: "CHAIN_UNREADABLE" });
});
