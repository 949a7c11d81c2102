import type { Chain } from "../../chain/chain.ts";
import { ChainUnreadableError } from "../../chain/errors.ts";
import type {
  HypertensorChain,
} from "../../chain/hypertensor/hypertensor_chain.ts";
import type { NetworkState } from "../../chain/hypertensor/network_state.ts";
import { deadline } from "../../core/deadline.ts";
import { type Options, type Parsed, usageError } from "../args.ts";
import type { CommandContext } from "../command.ts";

const LOCAL = "local:";

/** Options of all commands that ask a chain. */
export const CHAIN_OPTIONS: Options = {
  chain: {
    value: "URL",
    multiple: true,
    help:
      "ws:// or wss:// address of a Hypertensor endpoint; more of them take over when one fails.",
  },
  "chain-cache": {
    value: "PATH",
    help: "Folder where the chain's metadata is kept, for a faster start.",
  },
  timeout: {
    value: "SECONDS",
    help: "How long to wait for the chain's answers.",
    default: "30",
  },
};

/** Options of the commands that also know a development chain. */
export const ANY_CHAIN_OPTIONS: Options = {
  ...CHAIN_OPTIONS,
  chain: {
    value: "URL",
    multiple: true,
    help:
      "ws:// or wss:// address of a Hypertensor endpoint (more of them take over when one fails), or local:PATH for a development chain in a file.",
  },
};

/** A chain that answers. */
export interface OpenedChain {
  /** The chain. */
  readonly chain: Chain;
  /** The same, when it is no development chain. */
  readonly hypertensor: HypertensorChain | undefined;
  /** Ends the wait for answers. */
  readonly signal: AbortSignal;
}

/** A Hypertensor chain that answers, and its state in the newest block. */
export interface OpenedNetwork {
  /** The chain. */
  readonly chain: HypertensorChain;
  /** Its state. */
  readonly state: NetworkState;
  /** Ends the wait for answers. */
  readonly signal: AbortSignal;
}

/** Opens the chain of `--chain`, of any kind, for as long as it is used. */
export async function withAnyChain<T>(
  args: Parsed,
  context: CommandContext,
  use: (opened: OpenedChain) => Promise<T>,
): Promise<T> {
  const urls = urlsOf(args);
  const [first] = urls;
  if (urls.length > 1 || !first.startsWith(LOCAL)) {
    return await withNetwork(
      args,
      context,
      ({ chain, signal }) => use({ chain, hypertensor: chain, signal }),
    );
  }
  const { LocalChain } = await import("../../chain/local/mod.ts");
  const chain = LocalChain.open(first.slice(LOCAL.length));
  try {
    const { signal } = context;
    return await use({ chain, hypertensor: undefined, signal });
  } finally {
    await chain.close();
  }
}

/** Opens the Hypertensor chain of `--chain` for as long as it is used. */
export async function withNetwork<T>(
  args: Parsed,
  context: CommandContext,
  use: (opened: OpenedNetwork) => Promise<T>,
): Promise<T> {
  const urls = urlsOf(args);
  const seconds = args.integer("timeout", 1, 3_600);
  const wrong = urls.find((url) => !/^wss?:\/\/./.test(url));
  if (wrong !== undefined) {
    throw usageError(
      wrong.startsWith(LOCAL)
        ? "A development chain knows nothing of this."
        : `The chain "${wrong}" is of no kind that is known.`,
      "Use ws://HOST:PORT or wss://HOST, several times for fail-over.",
    );
  }
  const { HypertensorChain, NetworkState } = await import("./network.ts");
  const cacheFolder = args.text("chain-cache");
  const chain = HypertensorChain.open({
    endpoints: urls,
    ...(cacheFolder === undefined ? {} : { cacheFolder }),
  });
  using limit = deadline(seconds * 1_000, context.signal);
  const { signal } = limit;
  try {
    // Of an earlier run nothing is wanted here: the chain itself is asked.
    const head = await chain.client.header({ signal });
    const state = new NetworkState(
      await chain.client.at(head, { signal }),
      signal,
    );
    return await use({ chain, state, signal });
  } catch (error) {
    const late = signal.aborted && !context.signal.aborted &&
      (error === signal.reason ||
        error instanceof Error && error.cause === signal.reason);
    throw late ? unreached(urls, seconds, chain.status.failure) : error;
  } finally {
    await chain.close();
  }
}

function urlsOf(args: Parsed): [string, ...string[]] {
  const [first, ...others] = args.texts("chain");
  if (first !== undefined) return [first, ...others];
  throw usageError(
    "It is not said which chain is meant.",
    "Give --chain ws://HOST:PORT or --chain wss://HOST.",
  );
}

function unreached(
  urls: readonly string[],
  seconds: number,
  failure: string | undefined,
): ChainUnreadableError {
  return new ChainUnreadableError(
    `The chain at ${urls.join(", ")} did not answer within ${seconds} s${
      failure === undefined ? "" : `: ${failure.replace(/\.$/, "")}`
    }.`,
    {
      hint: "Check the address and the network, or wait longer with --timeout.",
    },
  );
}
