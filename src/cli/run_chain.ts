import { LocalChain } from "../chain/local/mod.ts";
import type { Chain, ChainView } from "../chain/chain.ts";
import { ChainUnreadableError } from "../chain/errors.ts";
import { openHypertensor } from "../chain/open_hypertensor.ts";
import type { SubnetNodeInfo } from "../chain/types.ts";
import { systemClock } from "../core/clock.ts";
import { loggerOf } from "../core/log.ts";
import { MeshError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import type { ChainOptions } from "../node/mod.ts";
import { usageError } from "./args.ts";

/** What is needed to open a chain for a node. */
export interface RunChain {
  /** `local:PATH`, or one or more `ws:` or `wss:` addresses of one chain. */
  readonly urls: readonly string[];
  /** The node's peer id, base58. */
  readonly peerId: string;
  /** The subnet. */
  readonly subnetId: number;
  /** Reads the hotkey's mnemonic or private key; absent when none is given. */
  readonly hotkey?: (() => Promise<string>) | undefined;
  /** Where metadata and the chain's last good state are kept. */
  readonly cacheFolder: string;
  /** Where to count. */
  readonly metrics: Metrics;
  /** Ends the wait for the chain. */
  readonly signal: AbortSignal;
}

const LOCAL = "local:";
/** A call needs its fee on the account, even where it gets it back. Base units. */
const LEAST_BALANCE = 10n ** 12n;
const RETRY_PAUSE = 1_000;

/** Opens the chain that the addresses name. @throws {MeshError} */
export async function openRunChain(
  needs: RunChain,
): Promise<Pick<ChainOptions, "chain" | "signer">> {
  const { urls } = needs;
  const [first] = urls as readonly [string, ...string[]];
  if (first.startsWith(LOCAL) && urls.length === 1) return await local(needs);
  const wrong = urls.find((url) => !/^wss?:\/\//.test(url));
  if (wrong === undefined) return await hypertensor(needs);
  throw usageError(
    `The chain "${wrong}" is of no kind that is known.`,
    "Use ws://HOST:PORT or wss://HOST, several times for fail-over, or " +
      "local:PATH once.",
  );
}

async function local(
  { urls, peerId, subnetId, signal }: RunChain,
): Promise<Pick<ChainOptions, "chain" | "signer">> {
  const chain = LocalChain.open((urls[0] as string).slice(LOCAL.length));
  return await closedOnFailure(chain, async () => {
    const view = await chain.view(undefined, { signal });
    const nodes = await view.nodes(subnetId, { signal });
    const own = nodes.find(({ peer }) => peer.peerId === peerId);
    return own === undefined
      ? { chain }
      : { chain, signer: chain.signer(own.hotkey) };
  });
}

async function hypertensor(
  needs: RunChain,
): Promise<Pick<ChainOptions, "chain" | "signer">> {
  const { urls, subnetId, hotkey, cacheFolder, metrics, signal } = needs;
  const { chain, signer } = await openHypertensor(
    { endpoints: urls, cacheFolder, metrics },
    await hotkey?.(),
  );
  return await closedOnFailure(chain, async () => {
    const view = await firstView(chain, signal);
    if (view.stale) {
      loggerOf("node").warn(
        "The chain is away: the node starts by what it knew at block {block}.",
        { block: view.block.number },
      );
    } else await advise(view, needs, signer?.hotkey);
    if (!view.stale && await view.subnet(subnetId, { signal }) === undefined) {
      throw new MeshError(
        "SUBNET_MISSING",
        `The chain has no subnet ${subnetId}.`,
        { hint: "Give the subnet's id with --subnet-id." },
      );
    }
    return signer === undefined ? { chain } : { chain, signer };
  });
}

/** Waits for the chain for as long as the user does. */
async function firstView(
  chain: Chain,
  signal: AbortSignal,
): Promise<ChainView> {
  for (;;) {
    try {
      return await chain.view(undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ChainUnreadableError)) throw error;
      loggerOf("node").warn("Waiting for the chain: {error}", { error });
      await systemClock.sleep(RETRY_PAUSE, signal);
    }
  }
}

/** Says what will keep the node from voting, before it does. */
async function advise(
  view: ChainView,
  { subnetId, peerId, signal }: RunChain,
  hotkey: string | undefined,
): Promise<void> {
  const log = loggerOf("node");
  if (hotkey === undefined) {
    const nodes = await view.nodes(subnetId, { signal });
    const own = nodes.find(({ peer }) => peer.peerId === peerId);
    if (own !== undefined) {
      log.warn(
        "No hotkey is given: node {node} serves, and neither proposes nor " +
          "attests. Give it with --hotkey.",
        { node: own.id },
      );
    }
    return;
  }
  const [node, balance] = await Promise.all([
    view.nodeOfHotkey(subnetId, hotkey, { signal }),
    view.balance(hotkey, { signal }),
  ]);
  if (node === undefined) {
    log.warn(
      "Hotkey {hotkey} has no node in subnet {subnetId} yet; the node waits " +
        "for it to be registered.",
      { hotkey, subnetId },
    );
  } else checkPeer(node, peerId, hotkey);
  if (balance < LEAST_BALANCE) {
    log.error(
      "Hotkey {hotkey} has no TENSOR to pay fees with: the chain will not " +
        "take its calls. Send it some.",
      { hotkey },
    );
  }
}

function checkPeer(
  node: SubnetNodeInfo,
  peerId: string,
  hotkey: string,
): void {
  const known = [node.peer, node.bootnode, node.client];
  if (known.some((each) => each?.peerId === peerId)) return;
  throw new MeshError(
    "IDENTITY_FOREIGN",
    `Hotkey ${hotkey} signs for node ${node.id}, whose peer is ` +
      `${node.peer.peerId}, not ${peerId}.`,
    { hint: "Use that node's identity file, or the right hotkey." },
  );
}

async function closedOnFailure<T>(
  chain: Chain,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    await chain.close();
    throw error;
  }
}
