import { concat } from "../../../mod.ts";
import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import { isOneValue } from "../../../src/chain/hypertensor/extent.ts";
import { ChainStorage } from "../../../src/chain/hypertensor/storage.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import {
  recordedAnswer,
  recordedMetadata,
} from "../../fixtures/chain/fixtures.ts";

const types = readMetadata(await recordedMetadata("r26"));
const { lookup } = types.registry;
const entries =
  types.metadata.asLatest.pallets.find(({ name }) =>
    name.toString() === "Network"
  )?.storage.unwrap().items ?? [];

function typeOf(item: string) {
  const entry = entries.find(({ name }) => name.toString() === item);
  assert(entry, item);
  return entry.type.isPlain ? entry.type.asPlain : entry.type.asMap.value;
}

async function recorded(label: string): Promise<Uint8Array> {
  const { result } = await recordedAnswer(label);
  return Uint8Array.fromHex((result as string).slice(2));
}

const RECORDED = [
  ["node data", "SubnetNodesData"],
  ["subnet data", "SubnetsData"],
  ["consensus submission", "SubnetConsensusSubmission"],
  ["slot", "SubnetSlot"],
  ["stake", "AccountSubnetStake"],
  ["election slots", "SubnetNodeElectionSlots"],
  ["coldkey reputation", "ColdkeyReputation"],
] as const;

Deno.test("every recorded value is measured as one value, and its parts and more are not", async () => {
  for (const [label, item] of RECORDED) {
    const type = typeOf(item);
    const bytes = await recorded(label);
    assert(isOneValue(lookup, type, bytes), label);
    assert(!isOneValue(lookup, type, concat(bytes, Uint8Array.of(0))), label);
    for (let length = 0; length < bytes.length; length++) {
      assert(!isOneValue(lookup, type, bytes.subarray(0, length)), label);
    }
  }
});

Deno.test("the defaults of all storage are one value each", () => {
  let seen = 0;
  for (const { type, fallback, modifier } of entries) {
    if (modifier.isOptional) continue;
    const id = type.isPlain ? type.asPlain : type.asMap.value;
    assert(isOneValue(lookup, id, fallback.toU8a(true)));
    seen++;
  }
  assert(seen > 20, `${seen}`);
});

Deno.test("a list that announces more than there is costs nothing", async () => {
  const storage = new ChainStorage(types);
  const bytes = await recorded("consensus submission");
  // Where the attestations are counted: 65 535 of them, without any bytes.
  const at = 4 + 4 + 16 + 16;
  assertEquals(bytes[at], 16, "four are counted there");
  const bomb = concat(
    bytes.subarray(0, at),
    Uint8Array.of(0xfe, 0xff, 0x03, 0x00),
    bytes.subarray(at + 1),
  );
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 100; i++) {
    assertThrows(
      () =>
        storage.decode(
          "network",
          "subnetConsensusSubmission",
          `0x${bomb.toHex()}`,
        ),
      { code: "CHAIN_UNREADABLE" },
    );
  }
  assert(Deno.memoryUsage().rss - before < 256 * 1024 * 1024);
});
