import type { Runtime } from "../../../src/chain/hypertensor/mod.ts";
import { JsonRpcError } from "../../../src/chain/hypertensor/mod.ts";
import { MetadataCache } from "../../../src/chain/hypertensor/metadata_cache.ts";
import { loadRuntime } from "../../../src/chain/hypertensor/runtime.ts";
import type { Source } from "../../../src/chain/hypertensor/state_reader.ts";
import {
  type MetadataName,
  recordedAnswer,
  recordedCalls,
  recordedMetadata,
} from "../../fixtures/chain/fixtures.ts";

/** The recorded runtime, as an endpoint would have told it. */
export async function recordedRuntime(
  name: MetadataName = "r26",
): Promise<Runtime> {
  const metadata = await recordedMetadata(name);
  return await loadRuntime(
    {
      genesis: `0x${"45".repeat(32)}`,
      specVersion: 1,
      transactionVersion: 1,
      code: "",
    },
    () => Promise.resolve(metadata),
    new MetadataCache(undefined),
  );
}

/** The recorded block. */
export async function recordedBlock() {
  const { params } = await recordedAnswer("header");
  return { number: 225, hash: params[0] as string };
}

/** Answers what was recorded, and counts what it is asked. */
export class RecordedSource implements Source {
  /** Methods asked so far. */
  readonly asked: string[] = [];
  /** Methods that are not there. */
  missing: readonly string[] = ["state_queryStorageAt"];

  async ask(method: string, params: readonly unknown[]): Promise<unknown> {
    this.asked.push(method);
    if (this.missing.includes(method)) {
      throw new JsonRpcError(method, -32601, "Method not found", undefined);
    }
    const found = (await recordedCalls()).find((call) =>
      call.method === method &&
      JSON.stringify(call.params) === JSON.stringify(params)
    );
    if (found !== undefined) return found.result;
    throw new JsonRpcError(method, -32000, "not recorded", params[0]);
  }
}
