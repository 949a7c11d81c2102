import { ONE } from "../../../mod.ts";
import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import {
  describeNetworkCall,
  encodeNetworkCall,
  hasCall,
} from "../../../src/chain/hypertensor/network_call.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import {
  recordedMetadata,
  signingVectors,
} from "../../fixtures/chain/fixtures.ts";

const types = readMetadata(await recordedMetadata("r26"));
const earlier = readMetadata(await recordedMetadata("r25"));
const HOTKEY = "0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49";
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4P0uQyqXaaa";

function hex(text: string): `0x${string}` {
  return `0x${new TextEncoder().encode(text).toHex()}`;
}

const REGISTER = {
  name: "register_subnet_node",
  args: {
    subnet_id: 128_001,
    hotkey: HOTKEY,
    peer_info: { peer_id: hex(PEER), multiaddr: null },
    bootnode_peer_info: null,
    client_peer_info: null,
    delegate_reward_rate: 0n,
    stake_to_be_added: 100n * ONE,
    unique: null,
    non_unique: null,
    delegate_account: null,
    max_burn_amount: 100n * ONE,
  },
};

Deno.test("calls are encoded by name, as the chain took them", async () => {
  const { extrinsics } = await signingVectors();
  const recorded = (label: string) =>
    extrinsics.find((each) => each.label === label)?.call;
  assertEquals(
    encodeNetworkCall(types, {
      name: "attest",
      args: { subnet_id: 128_001, attest_data: null },
    }),
    recorded("attest"),
  );
  assertEquals(
    encodeNetworkCall(types, REGISTER),
    recorded("register_subnet_node"),
  );
});

Deno.test("what is shown of a call is read from its bytes", () => {
  const { name, args } = describeNetworkCall(
    types,
    encodeNetworkCall(types, REGISTER),
  );
  assertEquals(name, "Network.register_subnet_node");
  assertEquals(args["subnetId"], 128_001);
  assertEquals(String(args["hotkey"]).toLowerCase(), HOTKEY);
  assertEquals(args["peerInfo"], { peerId: PEER, multiaddr: null });
  assertEquals(args["stakeToBeAdded"], (100n * ONE).toString());
});

Deno.test("arguments are put in the chain's order, and none may be missing or too much", () => {
  const args = { subnet_node_id: 7, subnet_id: 128_001 };
  const call = encodeNetworkCall(types, { name: "remove_subnet_node", args });
  assertEquals(describeNetworkCall(types, call).args, {
    subnetId: 128_001,
    subnetNodeId: 7,
  });
  const unknown = { code: "CHAIN_LAYOUT_UNKNOWN" };
  for (
    const bad of [
      { name: "remove_subnet_node", args: { subnet_id: 1 } },
      { name: "remove_subnet_node", args: { ...args, force: true } },
      { name: "add_subnet_node", args: {} },
      { name: "claim_unbondings", args: { amount: 1n } },
      // The earlier layout has other arguments under the same name.
      { ...REGISTER, args: { ...REGISTER.args, peer_id: hex(PEER) } },
    ]
  ) assertThrows(() => encodeNetworkCall(types, bad), unknown);
  assertThrows(() => encodeNetworkCall(earlier, REGISTER), unknown);
});

Deno.test("names are found wherever a version keeps them", () => {
  const attest = { name: "attest", args: { subnet_id: 5, attest_data: null } };
  for (const each of [types, earlier]) {
    assert(hasCall(each, "attest"));
    assert(!hasCall(each, "activate_subnet_node"));
    assertEquals(
      describeNetworkCall(each, encodeNetworkCall(each, attest)).name,
      "Network.attest",
    );
  }
  assertEquals(
    encodeNetworkCall(types, { name: "claim_unbondings", args: {} }),
    "0x1731",
  );
});
