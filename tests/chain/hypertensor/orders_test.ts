import { ONE } from "../../../mod.ts";
import {
  attestOrder,
  encodeCall,
  proposeOrder,
} from "../../../src/chain/hypertensor/orders.ts";
import { readHeader } from "../../../src/chain/hypertensor/header.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import {
  recordedAnswer,
  signingVectors,
} from "../../fixtures/chain/fixtures.ts";
import { recordedBlock, recordedRuntime } from "./recorded.ts";

const runtime = await recordedRuntime();
const { extrinsics } = await signingVectors();
const callOf = (label: string) =>
  extrinsics.find((each) => each.label === label)?.call;

Deno.test("calls are encoded as the chain accepted them", () => {
  assertEquals(
    attestOrder(128_001, "0x00").encode(runtime),
    callOf("attest"),
  );
  const scores = [1, 2].map((nodeId) => ({ nodeId, score: ONE }));
  assertEquals(
    proposeOrder({ subnetId: 128_001, scores }, "0x00").encode(runtime),
    callOf("propose_attestation"),
  );
});

Deno.test("a call that the chain does not have is refused by name", () => {
  assertThrows(() => encodeCall(runtime, "network", "addSubnetNode", []), {
    code: "CHAIN_LAYOUT_UNKNOWN",
  });
});

Deno.test("a header's hash is computed as the chain does", async () => {
  const { result } = await recordedAnswer("header");
  const { number, hash, upgrades } = readHeader(runtime.types, result);
  assertEquals({ number, hash }, await recordedBlock());
  assertEquals(upgrades, false);
});

Deno.test("what is no header is refused", async () => {
  const { result } = await recordedAnswer("header");
  const header = result as unknown as Record<string, unknown>;
  for (
    const bad of [
      null,
      1,
      {},
      { ...header, number: 7 },
      { ...header, number: "0x1ffffffff" },
      { ...header, parentHash: "0x12" },
      { ...header, digest: null },
      { ...header, digest: { logs: ["0xff"] } },
      { ...header, digest: { logs: Array(1_000).fill("0x08") } },
    ]
  ) {
    assertThrows(() => readHeader(runtime.types, bad), {
      code: "CHAIN_UNREADABLE",
    });
  }
  const upgrade = { ...header, digest: { logs: ["0x08"] } };
  assertEquals(readHeader(runtime.types, upgrade).upgrades, true);
});
