import { join } from "node:path";
import { concat } from "../../core/bytes.ts";
import { MetricsRegistry } from "../../core/metrics.ts";
import {
  generateIdentity,
  type Identity,
  readIdentityFile,
} from "../../identity/mod.ts";
import { createClient, type MeshClient } from "../../node/mod.ts";
import type { MeshValue } from "../../records/values.ts";
import { ownerMarker } from "../../validation/signature.ts";
import { type Options, type Parsed, usageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { configureLogging } from "../logging.ts";
import { openRunChain } from "../run_chain.ts";
import { parseValue } from "./values.ts";

/** The options with which every command joins the mesh. */
export const JOIN_OPTIONS: Options = {
  bootstrap: {
    value: "ADDR",
    multiple: true,
    help: "Address, with /p2p/<peer id>, of a node of the mesh.",
  },
  identity: {
    value: "PATH",
    help:
      "Identity file; a new identity by default. Not that of a running node.",
  },
  chain: {
    value: "URL",
    multiple: true,
    help: "The chain that says who may join, and names its bootnodes.",
  },
  "subnet-id": { value: "ID", help: "The subnet.", default: "1" },
  timeout: {
    value: "SECONDS",
    help: "How long the mesh is looked for.",
    default: "10",
  },
  "log-level": {
    value: "LEVEL",
    help: "debug, info, warn or error.",
    default: "warn",
  },
  json: { help: "Print JSON." },
};

/** The options that say what a key and a subkey are. */
export const KEY_OPTIONS: Options = {
  "json-key": { help: "KEY and SUBKEY are JSON, not text." },
};

/** The options that name one subkey. */
export const SUBKEY_OPTIONS: Options = {
  ...KEY_OPTIONS,
  subkey: { value: "SUBKEY", help: "An entry of the key's dictionary." },
  own: {
    help:
      "Make the subkey one's own: its owner's mark is appended, and nobody else can write it. Needs --identity.",
  },
};

/** Joins the mesh, does something, and leaves. */
export async function withClient<T>(
  args: Parsed,
  context: CommandContext,
  act: (client: MeshClient) => Promise<T>,
): Promise<T> {
  await configureLogging(args.text("log-level") as string, context.err);
  const { signal } = context;
  const subnetId = args.integer("subnet-id", 0, 2 ** 32 - 1);
  const timeout = 1_000 * args.integer("timeout", 1, 600);
  const bootstrap = args.texts("bootstrap");
  const urls = args.texts("chain");
  if (bootstrap.length === 0 && urls.length === 0) {
    throw usageError(
      "Nothing says where the mesh is.",
      "Give --bootstrap /ip4/HOST/tcp/PORT/p2p/PEER, as a node prints it, or --chain URL.",
    );
  }
  const identity = await identityOf(args);
  const metrics = new MetricsRegistry();
  const chain = urls.length === 0 ? undefined : await openRunChain({
    ...{ urls, subnetId, metrics, signal },
    peerId: identity.peerId,
    cacheFolder: join(".meshnode", "client"),
  });
  const client = await createClient({
    ...{ identity, subnetId, bootstrap, metrics, signal },
    ...(chain === undefined ? {} : { chain: { chain: chain.chain } }),
  });
  try {
    await client.joined(timeout, signal);
    return await act(client);
  } finally {
    await client.stop();
  }
}

/** The identity of `--identity`, or a new one. */
export async function identityOf(args: Parsed): Promise<Identity> {
  const path = args.text("identity");
  return path === undefined ? generateIdentity() : await readIdentityFile(path);
}

/** The positional argument of a place, which must be there. */
export function positional(args: Parsed, at: number, name: string): string {
  const text = args.positionals[at];
  if (text !== undefined) return text;
  throw usageError(`${name} is missing.`, "See --help for how it is used.");
}

/** The key that was named. */
export function keyOf(args: Parsed): MeshValue {
  const text = positional(args, 0, "KEY");
  return args.flag("json-key") ? parseValue(text, "KEY") : text;
}

/** The subkey that was named, if one was. */
export function subkeyOf(
  args: Parsed,
  identity: Identity,
): MeshValue | undefined {
  const text = args.text("subkey");
  if (!args.flag("own")) {
    return text === undefined || !args.flag("json-key")
      ? text
      : parseValue(text, "SUBKEY");
  }
  if (args.text("identity") === undefined) {
    throw usageError(
      "--own needs an --identity that lasts.",
      "Make one with `meshnode key generate`.",
    );
  }
  return concat(
    new TextEncoder().encode(text ?? ""),
    ownerMarker(identity.openSsh),
  );
}
