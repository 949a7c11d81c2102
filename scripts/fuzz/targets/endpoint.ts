import { readHeader } from "../../../src/chain/hypertensor/header.ts";
import { parseMessage } from "../../../src/chain/hypertensor/message.ts";
import { MetadataCache } from "../../../src/chain/hypertensor/metadata_cache.ts";
import {
  askRuntimeId,
  loadRuntime,
  type Runtime,
} from "../../../src/chain/hypertensor/runtime.ts";
import { parseSavedState } from "../../../src/chain/hypertensor/saved_state.ts";
import { StateReader } from "../../../src/chain/hypertensor/state_reader.ts";
import {
  recordedAnswer,
  recordedMetadata,
} from "../../../tests/fixtures/chain/fixtures.ts";
import type { Target } from "../engine.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();
const HASH = `0x${"45".repeat(32)}` as const;
const ID = {
  ...{ genesis: HASH, specVersion: 1, transactionVersion: 1, code: HASH },
};
const BLOCK = { number: 225, hash: HASH };

/** What an endpoint sends, from its messages up, and what is kept of it. */
export async function endpointTargets(): Promise<Target[]> {
  const metadata = await recordedMetadata("r26");
  const runtime = await runtimeOf(metadata);
  const { result: header } = await recordedAnswer("header");
  const answer = (result: unknown) => said({ jsonrpc: "2.0", id: 1, result });
  const notice = (result: unknown) =>
    said({ method: "chain_newHead", params: { subscription: "x", result } });
  const key = runtime.storage.key("network", "subnetSlot", 1);
  const start = runtime.storage.prefix("network", "subnetSlot");
  return [
    {
      name: "chain-message",
      samples: [
        answer(HASH),
        notice(header),
        said({ id: 2, error: { code: 1010, message: "Invalid", data: "x" } }),
      ],
      run: (bytes) => parseMessage(text.decode(bytes)),
    },
    {
      name: "chain-header",
      samples: [notice(header)],
      slowness: 20,
      run: (bytes) => readHeader(runtime.types, resultOf(bytes)),
    },
    {
      name: "chain-runtime-id",
      samples: [
        answer([HASH, { specVersion: 1, transactionVersion: 1 }, HASH]),
      ],
      run: (bytes) => {
        const [genesis, version, code] = [resultOf(bytes)].flat();
        const answers: Record<string, unknown> = {
          chain_getBlockHash: genesis,
          state_getRuntimeVersion: version,
          state_getStorageHash: code,
        };
        return askRuntimeId((method) => Promise.resolve(answers[method]));
      },
    },
    {
      name: "chain-metadata",
      // Where to change the real metadata, and to what: half a megabyte is more
      // than a changed input may have.
      samples: [new Uint8Array(), unchanged(metadata)],
      slowness: 1_000,
      run: (bytes) => runtimeOf(patched(metadata, bytes)),
    },
    {
      name: "chain-saved-state",
      samples: [
        said({
          ...{ version: 1, endpoint: "ws://a", block: BLOCK, runtime: ID },
          answers: [[`value ${key}`, "0x05000000"], [`keys ${start}`, [key]], [
            "call NetworkRuntimeApi_x 0x",
            "0x0401",
          ]],
        }),
      ],
      slowness: 20,
      run: async (bytes) => {
        const { block, answers } = parseSavedState(text.decode(bytes));
        const kept = { block, runtime, answers: new Map(answers) };
        const reader = StateReader.stale(kept);
        await reader.get("network", "subnetSlot", [1]);
        await reader.entries("network", "subnetSlot", []);
        const call = { name: "x", args: "0x", rpcArgs: [] } as const;
        await reader.callBytes(call);
      },
    },
  ];
}

function said(message: unknown): Uint8Array {
  return utf8.encode(JSON.stringify(message));
}

function resultOf(bytes: Uint8Array): unknown {
  const message = parseMessage(text.decode(bytes));
  return message?.kind === "error" ? undefined : message?.result;
}

async function runtimeOf(metadata: string): Promise<Runtime> {
  const cache = new MetadataCache(undefined);
  return await loadRuntime(ID, () => Promise.resolve(metadata), cache);
}

/** Changes all over the metadata that leave it as it is. */
function unchanged(metadata: string): Uint8Array {
  const bytes = Uint8Array.fromHex(metadata.slice(2));
  return Uint8Array.from({ length: 4 * 16 }, (_, i) => {
    const place = Math.floor((i >> 2) * bytes.length / 16);
    return [place >> 16, place >> 8, place, bytes[place] ?? 0][i & 3] as number;
  });
}

/** Each four bytes of a change are a place (three bytes) and a new byte. */
function patched(metadata: string, changes: Uint8Array): string {
  const bytes = Uint8Array.fromHex(metadata.slice(2));
  for (let i = 0; i + 4 <= changes.length; i += 4) {
    const [high = 0, middle = 0, low = 0, byte = 0] = changes.subarray(i);
    bytes[(high << 16 | middle << 8 | low) % bytes.length] = byte;
  }
  return `0x${bytes.toHex()}`;
}
