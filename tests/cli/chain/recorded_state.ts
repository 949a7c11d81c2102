import { NetworkState } from "../../../src/chain/hypertensor/network_state.ts";
import {
  type Source,
  StateReader,
} from "../../../src/chain/hypertensor/state_reader.ts";
import {
  recordedBlock,
  recordedRuntime,
  RecordedSource,
} from "../../chain/hypertensor/recorded.ts";
import type { MetadataName } from "../../fixtures/chain/fixtures.ts";

/** The recorded state of the network, at the boundary of JSON-RPC. */
export async function recordedState(
  source: Source = new RecordedSource(),
  metadata: MetadataName = "r26",
): Promise<NetworkState> {
  return new NetworkState(
    new StateReader(
      await recordedBlock(),
      await recordedRuntime(metadata),
      source,
    ),
  );
}
