import { hexToU8a } from "@polkadot/util";
import { ChainUnreadableError } from "../errors.ts";
import type { ChainConstants } from "../types.ts";
import { JsonRpcError } from "./connection.ts";
import {
  type ChainTypes,
  readMetadata,
  UnknownLayoutError,
} from "./metadata.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { ChainStorage } from "./storage.ts";

/** Asks the chain's endpoint. */
export type Ask = (
  method: string,
  params: readonly unknown[],
  signal?: AbortSignal,
) => Promise<unknown>;

/** What identifies a runtime: enough to find its metadata on disk. */
export interface RuntimeId {
  /** The genesis hash. */
  readonly genesis: `0x${string}`;
  /** The runtime's version; the same for different layouts, so never enough. */
  readonly specVersion: number;
  /** The version of the form of transactions. */
  readonly transactionVersion: number;
  /** The hash of the runtime's code; empty when the endpoint does not tell. */
  readonly code: string;
}

/** A chain's runtime: how its data and calls are to be read and written. */
export interface Runtime {
  /** Which one it is. */
  readonly id: RuntimeId;
  /** Its types. */
  readonly types: ChainTypes;
  /** Its storage. */
  readonly storage: ChainStorage;
  /** What never changes while it is in force. */
  readonly constants: ChainConstants;
}

/** What was built last for each client: it takes time and many megabytes. */
const latest = new WeakMap<
  MetadataCache,
  { readonly metadata: `0x${string}`; readonly runtime: Runtime }
>();

/** Where Substrate keeps the runtime's code: the bytes of `:code`. */
const CODE_KEY = "0x3a636f6465";
const METHOD_NOT_FOUND = -32601;
const MOST_BLOCK_MILLISECONDS = 3_600_000;

/** Asks which runtime is in force. @throws {ChainUnreadableError} */
export async function askRuntimeId(
  ask: Ask,
  signal?: AbortSignal,
): Promise<RuntimeId> {
  const [genesis, version, code] = await Promise.all([
    ask("chain_getBlockHash", [0], signal),
    ask("state_getRuntimeVersion", [], signal),
    ask("state_getStorageHash", [CODE_KEY], signal).catch((error) => {
      if (error instanceof JsonRpcError && error.number === METHOD_NOT_FOUND) {
        return "";
      }
      throw error;
    }),
  ]);
  const { specVersion, transactionVersion } = Object(version) as Record<
    string,
    unknown
  >;
  return {
    genesis: hash(genesis, "genesis hash"),
    specVersion: integer(specVersion, "spec version"),
    transactionVersion: integer(transactionVersion, "transaction version"),
    code: typeof code === "string" ? code : "",
  };
}

/** The runtime of an id, with metadata from the disk or from the endpoint. */
export async function loadRuntime(
  id: RuntimeId,
  ask: Ask,
  cache: MetadataCache,
  signal?: AbortSignal,
): Promise<Runtime> {
  const kept = await keptRuntime(id, cache);
  if (kept !== undefined) return kept;
  const metadata = bytes(await ask("state_getMetadata", [], signal));
  const runtime = runtimeOf(id, metadata, cache);
  await cache.write(cacheName(id), metadata);
  return runtime;
}

/** The runtime of an id, if its metadata is on the disk. */
export async function keptRuntime(
  id: RuntimeId,
  cache: MetadataCache,
): Promise<Runtime | undefined> {
  const metadata = await cache.read(cacheName(id));
  if (metadata === undefined) return undefined;
  try {
    return runtimeOf(id, metadata, cache);
  } catch {
    // What is on the disk may be damaged; the endpoint decides.
    return undefined;
  }
}

/** A connection that is made anew finds the runtime of the one before, seldom another. */
function runtimeOf(
  id: RuntimeId,
  metadata: `0x${string}`,
  cache: MetadataCache,
): Runtime {
  const last = latest.get(cache);
  if (
    last !== undefined && last.metadata === metadata &&
    JSON.stringify(last.runtime.id) === JSON.stringify(id)
  ) return last.runtime;
  const runtime = builtFrom(id, metadata);
  latest.set(cache, { metadata, runtime });
  return runtime;
}

function builtFrom(id: RuntimeId, metadata: `0x${string}`): Runtime {
  const types = readMetadata(metadata);
  return {
    id,
    types,
    storage: new ChainStorage(types),
    constants: {
      epochLength: constant(types, "Network", "EpochLength", 2 ** 31),
      blockMilliseconds: constant(
        types,
        "Aura",
        "SlotDuration",
        MOST_BLOCK_MILLISECONDS,
      ),
      genesis: id.genesis,
    },
  };
}

/** A whole number among the metadata's constants, at least 1. */
function constant(
  { metadata, registry }: ChainTypes,
  pallet: string,
  name: string,
  most: number,
): number {
  const found = metadata.asLatest.pallets
    .find((each) => each.name.toString() === pallet)?.constants
    .find((each) => each.name.toString() === name);
  const value = found === undefined ? NaN : Number(
    registry.createType(
      registry.createLookupType(found.type),
      hexToU8a(found.value.toHex()),
    ).toString(),
  );
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new UnknownLayoutError(`it has no usable constant ${pallet}.${name}`);
}

function cacheName({ genesis, specVersion, code }: RuntimeId): string {
  return [
    genesis.slice(2, 18),
    specVersion,
    code.replace(/[^0-9a-f]/g, "").slice(0, 16),
  ].join("-");
}

function hash(value: unknown, what: string): `0x${string}` {
  if (typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value)) {
    return value as `0x${string}`;
  }
  throw new ChainUnreadableError(`The chain's ${what} is no hash.`);
}

function integer(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw new ChainUnreadableError(`The chain's ${what} is no number.`);
}

function bytes(value: unknown): `0x${string}` {
  if (typeof value === "string" && /^0x(?:[0-9a-f]{2})+$/.test(value)) {
    return value as `0x${string}`;
  }
  throw new ChainUnreadableError("The chain's metadata is no hex text.");
}
