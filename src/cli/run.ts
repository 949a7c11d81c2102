import { join } from "node:path";
import { NODE_CLASSES, type NodeClass } from "../chain/types.ts";
import { MetricsRegistry } from "../core/metrics.ts";
import { raceSignal } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import { createNode, type MeshNode, type NodeOptions } from "../node/mod.ts";
import { type Parsed, usageError } from "./args.ts";
import type { Command, CommandContext } from "./command.ts";
import { CONSENSUS_FLAGS, consensusFlags } from "./consensus_flags.ts";
import { EXIT } from "./exit.ts";
import { configureLogging } from "./logging.ts";
import { openRunChain } from "./run_chain.ts";
import { PASSPHRASE_OPTIONS, RunKeys } from "./secrets.ts";
import {
  MAX_TEXT,
  type NodeEvent,
  reportText,
  statusEvent,
} from "./node_event.ts";

const STATUS_PERIOD = 500;
/** A clean stop that takes longer than this is ended, ms. */
const STOP_LIMIT = 4_500;

/** `meshnode run` */
export const runCommand: Command = {
  isLasting: true,
  summary: "Run a node.",
  usage: "[options]",
  description:
    `Runs a node of a subnet until it is told to end (SIGINT or SIGTERM).

With a chain, only peers with stake in the subnet are let in, and a registered
node takes part in consensus. Without one, peers are believed by their
signatures alone.`,
  options: {
    identity: {
      value: "PATH",
      help: "Identity file, made by `meshnode key generate`.",
      default: "identity.key",
    },
    "subnet-id": { value: "ID", help: "The subnet.", default: "1" },
    chain: {
      value: "URL",
      multiple: true,
      help:
        "ws:// or wss:// address of a Hypertensor endpoint (more of them take over when one fails), or local:PATH for a development chain in a file.",
    },
    hotkey: {
      value: "FILE",
      help:
        "Key that signs the node's consensus calls: a keystore made by `meshnode key`, or a file with a mnemonic or private key.",
    },
    ...PASSPHRASE_OPTIONS,
    "min-class": {
      value: "CLASS",
      help:
        "Least class of a peer: registered lets newcomers in that wait in the queue, as bootnodes do; idle, included, validator.",
      default: "idle",
    },
    listen: {
      value: "ADDR",
      multiple: true,
      help: "Address to listen on; /ip4/0.0.0.0/tcp/0 when none is given.",
    },
    announce: {
      value: "ADDR",
      multiple: true,
      help: "Address to tell others instead.",
    },
    bootstrap: {
      value: "ADDR",
      multiple: true,
      help:
        "Address, with /p2p/<peer id>, of a node to enter the mesh through.",
    },
    "per-network": {
      value: "N",
      help:
        "Most members taken in from one /24 of IPv4 or /64 of IPv6; more are connected and hold no records for this node.",
      default: "32",
    },
    ...CONSENSUS_FLAGS,
    role: {
      value: "NAME",
      help: "What the heartbeat calls the node.",
      default: "validator",
    },
    "public-name": { value: "NAME", help: "A name for people." },
    data: {
      value: "DIR",
      help:
        "Where the node keeps records and journal, in a folder of its peer id.",
      default: ".meshnode",
    },
    "heartbeat-period": {
      value: "SECONDS",
      help: "Time between heartbeats.",
      default: "120",
    },
    "log-level": {
      value: "LEVEL",
      help: "debug, info, warn or error.",
      default: "info",
    },
    "status-json": {
      help:
        "Print events and status as JSON lines, and end with standard input.",
    },
  },
  examples: [
    [
      "meshnode run --listen /ip4/0.0.0.0/tcp/31330",
      "the first node of a mesh without a chain",
    ],
    [
      "meshnode run --bootstrap /ip4/192.0.2.1/tcp/31330/p2p/12D3KooW…",
      "another one that joins it",
    ],
    [
      "meshnode run --chain local:.meshnode/dev/chain.db --identity node.key",
      "a node on a development chain",
    ],
    [
      "meshnode run --chain wss://rpc.example.org --subnet-id 128001 --hotkey hotkey.txt",
      "a validator of a Hypertensor subnet",
    ],
  ],
  async run(args, context) {
    await configureLogging(args.text("log-level") as string, context.err);
    const ending = new AbortController();
    const signal = AbortSignal.any([context.signal, ending.signal]);
    const json = args.flag("status-json");
    const tell = (event: NodeEvent) => {
      if (json) context.out(JSON.stringify(event));
    };
    using keys = await RunKeys.open(args, context.err);
    const watching = json ? watchInput(ending) : undefined;
    let node: MeshNode | undefined;
    try {
      node = await createNode(await nodeOptions(args, keys, signal, tell));
      await serve(node, signal, tell, json, context);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      if (node !== undefined) {
        const limit = AbortSignal.timeout(STOP_LIMIT);
        await raceSignal(node.stop(), limit).catch(() => {});
      }
      tell({ event: "stopped" });
      watching?.[Symbol.dispose]();
    }
    return EXIT.ok;
  },
};

async function nodeOptions(
  args: Parsed,
  { identity, hotkey }: RunKeys,
  signal: AbortSignal,
  tell: (event: NodeEvent) => void,
): Promise<NodeOptions> {
  const listen = args.texts("listen");
  const publicName = args.text("public-name");
  const subnetId = args.integer("subnet-id", 0, 2 ** 32 - 1);
  const heartbeatPeriod = args.integer("heartbeat-period", 1, 86_400);
  const urls = args.texts("chain");
  const metrics = new MetricsRegistry();
  const dataFolder = join(args.text("data") as string, identity.peerId);
  const minClass = nodeClass(args.text("min-class") as string);
  return {
    identity,
    subnetId,
    listen: listen.length > 0 ? listen : ["/ip4/0.0.0.0/tcp/0"],
    announce: args.texts("announce"),
    bootstrap: args.texts("bootstrap"),
    role: args.text("role") as string,
    ...(publicName === undefined ? {} : { publicName }),
    heartbeatPeriod,
    limits: { perNetwork: args.integer("per-network", 1, 1_024) },
    dataFolder,
    ...consensusFlags(args),
    onConsensus: (report) =>
      tell({
        event: "consensus",
        kind: report.kind,
        text: reportText(report).slice(0, MAX_TEXT),
      }),
    metrics,
    ...(urls.length === 0 ? {} : {
      chain: {
        ...await openRunChain({
          urls,
          peerId: identity.peerId,
          subnetId,
          hotkey: hotkey === undefined
            ? undefined
            : () => Promise.resolve(hotkey),
          cacheFolder: join(dataFolder, "chain"),
          metrics,
          signal,
        }),
        minClass,
      },
    }),
    signal,
  };
}

function nodeClass(text: string): NodeClass {
  const found = NODE_CLASSES.find((each) => each === text);
  if (found !== undefined) return found;
  throw usageError(
    `--min-class is one of ${NODE_CLASSES.join(", ")}, not "${text}".`,
    "See --help for what it does.",
  );
}

/** Tells what the node does until it is to end. */
async function serve(
  node: MeshNode,
  signal: AbortSignal,
  tell: (event: NodeEvent) => void,
  json: boolean,
  context: CommandContext,
): Promise<void> {
  const addresses = node.addresses();
  tell({ event: "started", peerId: node.peerId, addresses });
  loggerOf("node").info("Peer {peerId} listens on {addresses}.", {
    peerId: node.peerId,
    addresses: addresses.join(", "),
  });
  if (!json) {
    context.out(`Peer ${node.peerId}`);
    for (const address of addresses) context.out(`  ${address}`);
  }
  const status = () => tell(statusEvent(node.status()));
  status();
  const timer = setInterval(status, STATUS_PERIOD);
  try {
    if (!signal.aborted) {
      await new Promise((resolve) =>
        signal.addEventListener("abort", resolve, { once: true })
      );
    }
  } finally {
    clearInterval(timer);
  }
}

/** Ends the node when who started it is gone, however that came. */
function watchInput(ending: AbortController): Disposable {
  const reader = Deno.stdin.readable.getReader();
  (async () => {
    while (!(await reader.read()).done) { /* nothing is expected */ }
    ending.abort(new DOMException("Standard input was closed.", "AbortError"));
  })().catch(() => {});
  return {
    [Symbol.dispose]: () => {
      reader.cancel().catch(() => {});
    },
  };
}
