import { join } from "node:path";
import type { Chain } from "../../chain/chain.ts";
import { MetricsRegistry } from "../../core/metrics.ts";
import type { Identity } from "../../identity/mod.ts";
import { createClient, type MeshClient } from "../../node/mod.ts";
import { type Options, type Parsed, usageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { identityOf, JOIN_OPTIONS } from "../dht/join.ts";
import { configureLogging } from "../logging.ts";
import { openRunChain } from "../run_chain.ts";

/** The options by which a command finds a subnet: its chain, and its mesh. */
export const SUBNET_OPTIONS: Options = {
  ...JOIN_OPTIONS,
  identity: {
    value: "PATH",
    help:
      "Identity file of a node's client peer, or of an overwatch node, to join the mesh with. Not that of a running node.",
  },
  chain: {
    value: "URL",
    multiple: true,
    help:
      "ws:// or wss:// address of a Hypertensor endpoint (more of them take over when one fails), or local:PATH for a development chain in a file.",
  },
  bootstrap: {
    value: "ADDR",
    multiple: true,
    help:
      "Address, with /p2p/<peer id>, of a node of the mesh, besides the bootnodes that the chain names.",
  },
};

/** A subnet that is looked at from outside. */
export interface OpenSubnet {
  /** Its id. */
  readonly id: number;
  /** Its chain. */
  readonly chain: Chain;
}

/** A subnet whose mesh was joined as a client. */
export interface JoinedSubnet extends OpenSubnet {
  /** Whose client it is. */
  readonly identity: Identity;
  /** A client, which stores nothing. */
  readonly client: MeshClient;
}

/** Opens the chain, and the mesh if an identity for it is given, for as long as they are used. */
export async function withSubnet<T>(
  args: Parsed,
  context: CommandContext,
  use: (subnet: OpenSubnet & Partial<JoinedSubnet>) => Promise<T>,
): Promise<T> {
  await configureLogging(args.text("log-level") as string, context.err);
  if (args.text("identity") !== undefined) {
    return await withMesh(args, context, use);
  }
  const metrics = new MetricsRegistry();
  const { id, chain } = await openChain(args, "", context, metrics);
  try {
    return await use({ id, chain });
  } finally {
    await chain.close();
  }
}

/**
 * Opens the chain, and joins the mesh as a client, for as long as they are used.
 *
 * @throws {MeshError} `MESH_UNREACHABLE`
 */
export async function withMesh<T>(
  args: Parsed,
  context: CommandContext,
  use: (subnet: JoinedSubnet) => Promise<T>,
): Promise<T> {
  await configureLogging(args.text("log-level") as string, context.err);
  const { signal } = context;
  const timeout = 1_000 * args.integer("timeout", 1, 600);
  if (args.text("identity") === undefined) {
    throw usageError(
      "Without an identity that has stake, the mesh lets nobody in.",
      "Give --identity: the file of a node's client peer, or of an overwatch node.",
    );
  }
  const identity = await identityOf(args);
  const metrics = new MetricsRegistry();
  const { id, chain } = await openChain(
    ...[args, identity.peerId, context, metrics] as const,
  );
  const client = await createClient({
    ...{ identity, metrics, signal, chain: { chain } },
    subnetId: id,
    bootstrap: args.texts("bootstrap"),
  });
  try {
    await client.joined(timeout, signal);
    return await use({ id, chain, identity, client });
  } finally {
    // Closes the chain, too.
    await client.stop();
  }
}

async function openChain(
  args: Parsed,
  peerId: string,
  { signal }: CommandContext,
  metrics: MetricsRegistry,
): Promise<OpenSubnet> {
  const id = args.integer("subnet-id", 0, 2 ** 32 - 1);
  const urls = args.texts("chain");
  if (urls.length === 0) {
    throw usageError(
      "It is not said which chain is meant.",
      "Give --chain ws://HOST:PORT, --chain wss://HOST or --chain local:PATH.",
    );
  }
  const cacheFolder = join(".meshnode", "client");
  const { chain } = await openRunChain({
    ...{ urls, peerId, cacheFolder, metrics, signal },
    subnetId: id,
  });
  return { id, chain };
}
