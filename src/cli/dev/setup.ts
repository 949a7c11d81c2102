import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { LocalChain } from "../../chain/local/mod.ts";
import { MeshError } from "../../core/errors.ts";
import {
  generateIdentity,
  type Identity,
  IdentityFileError,
  readIdentityFile,
  writeIdentityFile,
} from "../../identity/mod.ts";

/** The subnet of a development mesh. */
export const DEV_SUBNET = 1;

/** Options of a development mesh. */
export interface DevOptions {
  /** Where everything is kept. */
  readonly directory: string;
  /** Validators, besides the bootnode. */
  readonly validators: number;
  /** Milliseconds between blocks. */
  readonly blockTime: number;
  /** Blocks in an epoch. */
  readonly epochLength: number;
  /** Start a new mesh. */
  readonly fresh: boolean;
  /** IPv4 address at which the bootnode is called; loopback by default. */
  readonly bootnodeHost?: string;
}

/** One node of a development mesh. */
export interface DevNode {
  /** `bootnode` or `validator-1` and so on. */
  readonly name: string;
  /** Its own directory. */
  readonly directory: string;
  /** Its identity file. */
  readonly identityPath: string;
  /** Base58. */
  readonly peerId: string;
  /** TCP port; 0 for any. */
  readonly port: number;
  /** Id on the chain; absent for the bootnode. */
  readonly nodeId: number | undefined;
}

/** A development mesh that is ready to be started. */
export interface DevMesh {
  /** Where everything is, as an absolute path. */
  readonly directory: string;
  /** The chain's file. */
  readonly chainPath: string;
  /** The chain. */
  readonly chain: LocalChain;
  /** The bootnode first. */
  readonly nodes: readonly DevNode[];
  /** Keeps a second one away from the directory, until it is released. */
  readonly lock: Disposable;
}

const MARKER = "dev.json";
/** An identity that is let in, to look at the mesh from outside. */
const CLIENT_FILE = "client.key";

/** Prepares the directory: identities, chain, members. @throws {MeshError} */
export async function setUpDev(options: DevOptions): Promise<DevMesh> {
  const directory = resolve(options.directory);
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const marker = join(directory, MARKER);
  const entries = [...Deno.readDirSync(directory)].map(({ name }) => name);
  if (entries.length > 0 && !entries.includes(MARKER)) {
    throw new MeshError(
      "DEV_FOREIGN",
      `${directory} holds other files than those of a development mesh.`,
      { hint: "Choose another --directory." },
    );
  }
  const lock = await takeLock(join(directory, "dev.lock"), marker);
  try {
    if (options.fresh) {
      for (const name of entries) {
        if (name === MARKER || name === "dev.lock") continue;
        await Deno.remove(join(directory, name), { recursive: true });
      }
    }
    const port = await bootnodePort(marker);
    await Deno.writeTextFile(marker, `${JSON.stringify({ port })}\n`);
    const chainPath = join(directory, "chain.db");
    const chain = LocalChain.create(chainPath, {
      blockMilliseconds: options.blockTime,
      epochLength: options.epochLength,
      subnetId: DEV_SUBNET,
      subnetName: "dev",
    });
    try {
      const names = ["bootnode"];
      for (let i = 1; i <= options.validators; i++) {
        names.push(`validator-${i}`);
      }
      const nodes = await Promise.all(
        names.map((name) => setUpNode(directory, name, port)),
      );
      const client = await keepIdentity(join(directory, CLIENT_FILE));
      chain.addOverwatchPeer(client.peerId);
      return {
        directory,
        chainPath,
        chain,
        nodes: await enlist(chain, nodes, options.bootnodeHost ?? "127.0.0.1"),
        lock,
      };
    } catch (error) {
      await chain.close();
      throw error;
    }
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

async function setUpNode(
  directory: string,
  name: string,
  bootnodePort: number,
): Promise<Omit<DevNode, "nodeId"> & { readonly identity: Identity }> {
  const own = join(directory, name);
  await Deno.mkdir(own, { recursive: true, mode: 0o700 });
  const identityPath = join(own, "identity.key");
  const identity = await keepIdentity(identityPath);
  return {
    name,
    directory: own,
    identityPath,
    peerId: identity.peerId,
    port: name === "bootnode" ? bootnodePort : 0,
    identity,
  };
}

/** The identity of a file, which is made when it is missing. */
async function keepIdentity(path: string): Promise<Identity> {
  try {
    return await readIdentityFile(path);
  } catch (error) {
    const missing = error instanceof IdentityFileError &&
      error.code === "IDENTITY_MISSING";
    if (!missing) throw error;
    const identity = generateIdentity();
    await writeIdentityFile(path, identity);
    return identity;
  }
}

/** Makes the validators nodes of the subnet, and the bootnode its bootnode. */
async function enlist(
  chain: LocalChain,
  nodes: readonly (Omit<DevNode, "nodeId"> & { readonly identity: Identity })[],
  bootnodeHost: string,
): Promise<DevNode[]> {
  const present = await (await chain.view()).nodes(DEV_SUBNET);
  return nodes.map(({ identity: _, ...node }) => {
    if (node.name === "bootnode") {
      const address =
        `/ip4/${bootnodeHost}/tcp/${node.port}/p2p/${node.peerId}`;
      chain.addBootnode(node.peerId, address);
      return { ...node, nodeId: undefined };
    }
    const known = present.find(({ peer }) => peer.peerId === node.peerId);
    const nodeId = known?.id ?? chain.register({
      hotkey: developmentAccount("hotkey", node.peerId),
      coldkey: developmentAccount("coldkey", node.peerId),
      peerId: node.peerId,
      nodeClass: "validator",
    });
    return { ...node, nodeId };
  });
}

/** An account that belongs to nobody: the development chain asks for no key. */
function developmentAccount(kind: string, peerId: string): string {
  const digest = createHash("sha256").update(`${kind} ${peerId}`).digest("hex");
  return `0x${digest.slice(0, 40)}`;
}

/** The port of last time, if it is free. */
async function bootnodePort(marker: string): Promise<number> {
  let last = 0;
  try {
    const { port } = JSON.parse(await Deno.readTextFile(marker));
    if (Number.isInteger(port) && port > 0 && port < 65_536) last = port;
  } catch {
    // There was none, or it cannot be read: any will do.
  }
  return await freePort(last).catch(() => freePort(0));
}

function freePort(port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", () => {
    const address = server.address();
    const got = typeof address === "object" && address ? address.port : 0;
    server.close(() => resolve(got));
  });
  return promise;
}

async function takeLock(path: string, marker: string): Promise<Disposable> {
  // Marked as ours before there is anything else in it.
  await Deno.writeTextFile(marker, "{}\n", { createNew: true }).catch(() => {});
  const file = await Deno.open(path, { create: true, write: true, read: true });
  // The kernel releases it with the process, however that ends.
  if (await file.tryLock(true)) return { [Symbol.dispose]: () => file.close() };
  file.close();
  throw new MeshError(
    "DEV_RUNNING",
    "A development mesh runs in this directory already.",
    { hint: "Use its terminal, or choose another --directory." },
  );
}
