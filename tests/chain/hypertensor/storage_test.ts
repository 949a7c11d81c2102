import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import { ChainStorage } from "../../../src/chain/hypertensor/storage.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import {
  recordedAnswer,
  recordedMetadata,
} from "../../fixtures/chain/fixtures.ts";

const SUBNET = 128_001;
const HOTKEY = "0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49";
const storage = new ChainStorage(readMetadata(await recordedMetadata("r26")));

const READS = [
  ["slot", "network", "subnetSlot", [SUBNET]],
  ["elected validator", "network", "subnetElectedValidator", [SUBNET, 11]],
  ["elected validator, none yet", "network", "subnetElectedValidator", [
    SUBNET,
    16,
  ]],
  ["consensus submission", "network", "subnetConsensusSubmission", [
    SUBNET,
    11,
  ]],
  ["node data", "network", "subnetNodesData", [SUBNET, 1]],
  ["node id of hotkey", "network", "hotkeySubnetNodeId", [SUBNET, HOTKEY]],
  ["hotkey owner", "network", "hotkeyOwner", [HOTKEY]],
  ["stake", "network", "accountSubnetStake", [HOTKEY, SUBNET]],
  ["min stake", "network", "subnetMinStakeBalance", [SUBNET]],
  ["subnet data", "network", "subnetsData", [SUBNET]],
  ["election slots", "network", "subnetNodeElectionSlots", [SUBNET]],
  ["account", "system", "account", [HOTKEY]],
] as const;

Deno.test("storage is asked for under the chain's own keys", async () => {
  for (const [label, pallet, item, args] of READS) {
    const { params } = await recordedAnswer(label);
    assertEquals(storage.key(pallet, item, ...args), params[0], label);
  }
  assertThrows(() => storage.key("network", "subnetPaths", 1), {
    code: "CHAIN_LAYOUT_UNKNOWN",
  });
});

Deno.test("recorded answers are decoded, absent ones are absent", async () => {
  const read = async (label: string) => {
    const [, pallet, item] = READS.find(([each]) => each === label) ??
      ["", "", ""];
    const { result } = await recordedAnswer(label);
    return storage.decode(pallet, item, result);
  };
  assertEquals((await read("slot"))?.toString(), "3");
  assertEquals((await read("elected validator"))?.toString(), "1");
  assertEquals(await read("elected validator, none yet"), undefined);
  assertEquals((await read("election slots"))?.toJSON(), [1, 2, 3, 4]);
  assertEquals((await read("min stake"))?.toString(), "100000000000000000000");
  const node = (await read("node data"))?.toHuman() as Record<string, unknown>;
  assertEquals(String(node["hotkey"]).toLowerCase(), HOTKEY);
  const submission = await read("consensus submission");
  const { validatorId, data } = submission?.toJSON() as Record<string, unknown>;
  assertEquals(validatorId, 1);
  assert(Array.isArray(data) && data.length === 4);
});

Deno.test("answers that are cut off or too long are refused, never guessed", async () => {
  for (const [label, pallet, item] of READS) {
    const { result } = await recordedAnswer(label);
    if (result === null) continue;
    for (let length = 2; length < result.length; length += 2) {
      const cut = result.slice(0, length) as `0x${string}`;
      assertThrows(
        () => storage.decode(pallet, item, cut),
        { code: "CHAIN_UNREADABLE" },
        `${label} cut to ${length}`,
      );
      if (length > 200) break;
    }
    assertThrows(() => storage.decode(pallet, item, `${result}00`), {
      code: "CHAIN_UNREADABLE",
    });
  }
});
