import {
  explainCallError,
  EXPLAINED_CALL_ERRORS,
} from "../../src/chain/call_errors.ts";
import { readMetadata } from "../../src/chain/hypertensor/metadata.ts";
import { assert, assertEquals } from "../assert.ts";
import { recordedMetadata } from "../fixtures/chain/fixtures.ts";

async function errorsOf(name: "r25" | "r26"): Promise<Set<string>> {
  const { metadata } = readMetadata(await recordedMetadata(name));
  const { lookup, pallets } = metadata.asLatest;
  const pallet = pallets.find((each) => each.name.toString() === "Network");
  assert(pallet);
  const { def } = lookup.getSiType(pallet.errors.unwrap().type);
  return new Set(def.asVariant.variants.map((each) => each.name.toString()));
}

Deno.test("only errors that a chain has are explained, in full sentences", async () => {
  const all = (await errorsOf("r25")).union(await errorsOf("r26"));
  for (const name of EXPLAINED_CALL_ERRORS) {
    assert(all.has(name), `${name} is no error of the chain`);
    const explained = explainCallError(name);
    assert(explained?.means.endsWith("."), name);
    assert(explained?.todo.endsWith("."), name);
  }
});

Deno.test("every error that a node or its owner meets is explained", () => {
  for (
    const name of [
      ...["InvalidValidator", "SubnetRewardsAlreadySubmitted"],
      ...["NoElectedValidator", "SubnetEpochDataIsNone", "ScoreOverflow"],
      ...["Paused", "InvalidSubnetConsensusSubmission", "AlreadyAttested"],
      ...["InvalidHotkeySubnetNodeId", "InvalidSubnetNodeClassification"],
      ...["InvalidEmergencySubnetNodeId", "InvalidSubnetNodeId"],
      ...["InvalidPeerId", "PeerIdExist", "ColdkeyMatchesHotkey"],
      ...["HotkeyHasOwner", "ColdkeyRegistrationWhitelist"],
      ...["MaxRegisteredNodes", "MaxBurnAmountExceeded", "MinStakeNotReached"],
      ...["MaxStakeReached", "NotEnoughBalanceToStake"],
      ...["MustUnstakeToRegister", "SubnetMustBeRegisteringOrActivated"],
      ...["InvalidMultiaddr", "MultiaddrInvalidProtocol", "MultiaddrTruncated"],
      ...["SubnetActivationConditionsNotMetYet"],
      ...["MinSubnetRegistrationEpochsNotMet", "SubnetActivatedAlready"],
      ...["InvalidSubnetId", "ElectedValidatorCannotRemove"],
    ]
  ) assert(explainCallError(name), name);
});

Deno.test("a name that is none is not explained", () => {
  assertEquals(explainCallError("Nonsense"), undefined);
  assertEquals(explainCallError("toString"), undefined);
});
