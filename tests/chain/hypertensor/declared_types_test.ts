import fc from "fast-check";
import { compactStripLength, hexToU8a } from "@polkadot/util";
import { ONE } from "../../../mod.ts";
import { DeclaredTypes } from "../../../src/chain/hypertensor/declared/declared_types.ts";
import { R25 } from "../../../src/chain/hypertensor/layouts/r25.ts";
import { R26 } from "../../../src/chain/hypertensor/layouts/r26.ts";
import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import { concat } from "../../../src/core/bytes.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import {
  recordedAnswer,
  recordedMetadata,
} from "../../fixtures/chain/fixtures.ts";

const types = readMetadata(await recordedMetadata("r26"));
const declared = new DeclaredTypes(types);
const earlierTypes = readMetadata(await recordedMetadata("r25"));
const earlier = new DeclaredTypes(earlierTypes);
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4";
const UNREADABLE = { code: "CHAIN_UNREADABLE" };

async function answer(label: string): Promise<Uint8Array> {
  const { result } = await recordedAnswer(label);
  assert(result !== null);
  const [, bytes] = compactStripLength(hexToU8a(result));
  return bytes;
}

const DECODERS = [
  ["subnet info", (bytes: Uint8Array) => declared.subnet(bytes)],
  ["all subnets", (bytes: Uint8Array) => declared.subnets(bytes)],
  ["one node", (bytes: Uint8Array) => declared.node(bytes)],
  ["all nodes of the subnet", (bytes: Uint8Array) => declared.nodes(bytes)],
  ["bootnodes", (bytes: Uint8Array) => declared.bootnodes(bytes)],
] as const;

Deno.test("a subnet is read with all of its fields", async () => {
  assertEquals(Object.keys(R26.shapes.SubnetInfo).length, 50);
  const subnet = declared.subnet(await answer("subnet info"));
  assert(subnet);
  assertEquals(subnet.id, 128_001);
  assertEquals(subnet.friendlyId, 1);
  assert(subnet.name.startsWith("mesh-test"));
  assertEquals(subnet.repo, `github.com/x/${subnet.name}`);
  assertEquals([subnet.description, subnet.misc], ["d", "m"]);
  assertEquals(subnet.state, "active");
  assertEquals(subnet.startEpoch, 1);
  assertEquals(subnet.minStake, 100n * ONE);
  assertEquals(subnet.maxStake, 1_000n * ONE);
  assertEquals(subnet.delegateStakePercentage, ONE / 10n);
  assertEquals(subnet.owner, "0xf24ff3a9cf04c71dbc94d0b566f7a27b94566cac");
  assertEquals(subnet.pendingOwner, undefined);
  assertEquals(subnet.slotIndex, 3);
  assertEquals(subnet.reputation, ONE);
  assertEquals(subnet.bootnodes.length, 1);
  const [bootnode] = subnet.bootnodes;
  assertEquals(bootnode?.peerId, `${PEER}B0uQyqXaaa`);
  assert(bootnode?.multiaddr?.startsWith("/ip4/127.0.0.1/tcp/"));
  assertEquals([
    subnet.totalNodes,
    subnet.totalActiveNodes,
    subnet.totalElectableNodes,
  ], [4, 4, 4]);
  assert(subnet.totalSubnetStake > 400n * ONE);
  assertEquals(await declared.subnets(await answer("all subnets")), [subnet]);
});

Deno.test("a subnet that is not there is absent", async () => {
  assertEquals(
    declared.subnet(await answer("subnet info of an unknown id")),
    undefined,
  );
});

Deno.test("nodes are read with peers, class, stake and reputation, in order", async () => {
  const nodes = declared.nodes(await answer("all nodes of the subnet"));
  assertEquals(nodes.map(({ subnetNodeId }) => subnetNodeId), [1, 2, 3, 4]);
  const node = declared.node(await answer("one node"));
  assert(node);
  assertEquals(nodes[0], node);
  assertEquals(node.subnetId, 128_001);
  assertEquals(node.coldkey, "0x3cd0a705a2dc65e5b1e1205896baa2be8a07c6e0");
  assertEquals(node.hotkey, "0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49");
  assertEquals(node.peer, {
    peerId: `${PEER}P0uQyqXaaa`,
    multiaddr: undefined,
  });
  assertEquals(node.client?.peerId, `${PEER}C0uQyqXaaa`);
  assertEquals(node.delegateAccount, undefined);
  assertEquals(node.classification, { nodeClass: "validator", startEpoch: 0 });
  assertEquals(node.identity.huggingFace, "");
  assert(node.stakeBalance > 100n * ONE);
  assertEquals(node.coldkeyReputation.totalActiveNodes, 1);
  assertEquals(node.coldkeyReputation.averageAttestation, ONE);
  assertEquals(node.subnetNodeReputation, ONE);
  assertEquals(
    declared.node(await answer("elected validator info")),
    node,
  );
});

Deno.test("bootnodes of the subnet and of nodes are told apart", async () => {
  const { subnet, nodes, queued } = declared.bootnodes(
    await answer("bootnodes"),
  );
  assertEquals(subnet.map(({ peerId }) => peerId), [`${PEER}B0uQyqXaaa`]);
  assertEquals([nodes, queued], [[], []]);
});

Deno.test("answers that are cut off anywhere, or too long, are refused", async () => {
  for (const [label, decode] of DECODERS) {
    const whole = await answer(label);
    decode(whole);
    for (let length = 0; length < whole.length; length++) {
      assertThrows(
        () => decode(whole.subarray(0, length)),
        UNREADABLE,
        `${label} cut to ${length}`,
      );
    }
    assertThrows(() => decode(concat(whole, new Uint8Array(1))), UNREADABLE);
  }
});

Deno.test("lists that claim more than they hold are refused before room is made", () => {
  for (
    const claim of [
      "feffffff",
      "03ffffffff",
      "0xfe000000",
      "13ffffffffffffffff",
    ]
  ) {
    const bytes = concat(
      hexToU8a(`0x${claim.replace("0x", "")}`),
      new Uint8Array(5_000),
    );
    assertThrows(() => declared.nodes(bytes), UNREADABLE);
    assertThrows(() => declared.subnets(bytes), UNREADABLE);
  }
  assertThrows(
    () => declared.subnet(new Uint8Array(8 * 1024 * 1024 + 1)),
    UNREADABLE,
  );
});

Deno.test("no bytes do worse than being refused", async () => {
  const whole = await answer("one node");
  fc.assert(
    fc.property(
      fc.nat(whole.length - 1),
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      (at, noise) => {
        const changed = whole.slice();
        changed.set(noise.subarray(0, whole.length - at), at);
        for (const [, decode] of DECODERS) {
          try {
            decode(changed);
          } catch (error) {
            assertEquals((error as { code?: string }).code, "CHAIN_UNREADABLE");
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("bytes that are no text or no address hide nothing else", () => {
  const { registry } = types;
  const value = registry.createType("AllSubnetBootnodes", {
    subnetBootnodes: [["0xff31", "0xffff"], ["0x3132", "0x047f000001061f91"]],
    nodeBootnodes: [["0x3132", null]],
    registeredBootnodes: [],
  });
  assertEquals(declared.bootnodes(value.toU8a()), {
    subnet: [
      { peerId: "\ufffd1", multiaddr: undefined },
      { peerId: "12", multiaddr: "/ip4/127.0.0.1/tcp/8081" },
    ],
    nodes: [{ peerId: "12", multiaddr: undefined }],
    queued: [],
  });
});

Deno.test("the earlier layout has key types, texts for addresses and three peer ids", () => {
  assertEquals(Object.keys(R25.shapes.SubnetInfo).length, 51);
  const { registry } = earlierTypes;
  const hex = (text: string) => `0x${new TextEncoder().encode(text).toHex()}`;
  const address = `/ip4/127.0.0.1/tcp/1/p2p/${PEER}B0uQyqXaaa`;
  const encode = (type: string, value: unknown) =>
    registry.createType(type, value).toU8a();
  const subnet = earlier.subnet(encode("Option<SubnetInfo>", {
    id: 7,
    name: hex("seven"),
    state: "Paused",
    keyTypes: ["Rsa", "Ed25519"],
    slotIndex: 5,
    bootnodes: [hex(address)],
    totalNodes: 9,
  }));
  assertEquals(subnet?.name, "seven");
  assertEquals(subnet?.state, "paused");
  assertEquals(subnet?.keyTypes, ["rsa", "ed25519"]);
  assertEquals(subnet?.slotIndex, 5);
  assertEquals(subnet?.bootnodes, [
    { peerId: `${PEER}B0uQyqXaaa`, multiaddr: address },
  ]);
  assertEquals(subnet?.totalNodes, 9);
  const [node] = earlier.nodes(encode("Vec<SubnetNodeInfo>", [{
    subnetId: 7,
    subnetNodeId: 3,
    peerId: hex("12D3a"),
    bootnodePeerId: hex("12D3b"),
    clientPeerId: hex("12D3c"),
    bootnode: hex(address),
    classification: { nodeClass: "Included", startEpoch: 4 },
  }]));
  assertEquals(node?.peer.peerId, "12D3a");
  assertEquals(node?.bootnode, { peerId: "12D3b", multiaddr: address });
  assertEquals(node?.classification.nodeClass, "included");
  assertEquals(node?.delegateAccount, undefined);
  assertEquals(
    earlier.bootnodes(encode("AllSubnetBootnodes", {
      bootnodes: [hex(address), hex("anything")],
      nodeBootnodes: [],
    })).subnet,
    [
      { peerId: `${PEER}B0uQyqXaaa`, multiaddr: address },
      { peerId: undefined, multiaddr: "anything" },
    ],
  );
});
