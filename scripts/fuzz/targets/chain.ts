import { compactStripLength } from "@polkadot/util";
import {
  storedAmount,
  storedInteger,
  storedNode,
  storedSubmission,
  storedSubnet,
} from "../../../src/chain/hypertensor/decode.ts";
import { DeclaredTypes } from "../../../src/chain/hypertensor/declared/declared_types.ts";
import { readMetadata } from "../../../src/chain/hypertensor/metadata.ts";
import { ChainStorage } from "../../../src/chain/hypertensor/storage.ts";
import {
  recordedAnswer,
  recordedMetadata,
} from "../../../tests/fixtures/chain/fixtures.ts";
import type { Target } from "../engine.ts";

/** What an endpoint of the chain answers: storage, and the runtime API. */
export async function chainTargets(): Promise<Target[]> {
  const types = readMetadata(await recordedMetadata("r26"));
  const storage = new ChainStorage(types);
  const declared = new DeclaredTypes(types);
  const { layout } = types;
  const sample = async (label: string) => {
    const { result } = await recordedAnswer(label);
    return Uint8Array.fromHex((result as string).slice(2));
  };
  const stored = async (
    label: string,
    item: string,
    read: (value: NonNullable<ReturnType<ChainStorage["decode"]>>) => unknown,
  ): Promise<Target> => ({
    name: `chain-${item}`,
    samples: [await sample(label)],
    slowness: 50,
    run: (bytes) => {
      const value = storage.decode("network", item, `0x${bytes.toHex()}`);
      return value && read(value);
    },
  });
  const answered = async (
    name: string,
    label: string,
    run: (bytes: Uint8Array) => unknown,
  ): Promise<Target> => ({
    name: `chain-${name}`,
    // The length in front is the call's, not the answer's.
    samples: [compactStripLength(await sample(label))[1]],
    slowness: 50,
    run,
  });
  return [
    await stored(
      "node data",
      "subnetNodesData",
      (value) => storedNode(value, layout),
    ),
    await stored("subnet data", "subnetsData", storedSubnet),
    await stored(
      "consensus submission",
      "subnetConsensusSubmission",
      (value) => storedSubmission(value, layout),
    ),
    await stored("slot", "subnetSlot", storedInteger),
    await stored("stake", "accountSubnetStake", storedAmount),
    await answered(
      "subnet-info",
      "subnet info",
      (bytes) => declared.subnet(bytes),
    ),
    await answered(
      "nodes-info",
      "all nodes of the subnet",
      (bytes) => declared.nodes(bytes),
    ),
    await answered("node-info", "one node", (bytes) => declared.node(bytes)),
  ];
}
