import { networkEpoch } from "../../chain/epoch.ts";
import type { BlockRef, ChainConstants } from "../../chain/types.ts";
import type { HypertensorChain } from "../../chain/hypertensor/hypertensor_chain.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { facts } from "../table.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";
import { count, duration } from "./words.ts";

/** What a chain tells of itself. */
export interface StatusReport {
  /** Its name; a development chain has none. */
  readonly name: string | undefined;
  /** The endpoint that answered. */
  readonly endpoint: string | undefined;
  /** The runtime, where there is one. */
  readonly runtime:
    | {
      readonly layout: string;
      readonly specVersion: number;
      readonly transactionVersion: number;
    }
    | undefined;
  /** The newest block. */
  readonly block: BlockRef;
  /** Its time, ms of the Unix epoch. */
  readonly time: number;
  /** What never changes. */
  readonly constants: ChainConstants;
  /** The network epoch. */
  readonly networkEpoch: number;
  /** Sizes of the network, where they are known. */
  readonly network:
    | {
      readonly subnets: number;
      readonly activeSubnets: number;
      readonly nodes: number;
      readonly activeNodes: number;
      readonly paused: boolean;
    }
    | undefined;
}

/** `meshnode chain status` */
export const statusCommand: Command = {
  summary: "Show what the chain is and where it stands.",
  usage: "--chain URL [options]",
  description:
    "Shows the chain's name, version and newest block, and how large its network is.",
  options: { ...ANY_CHAIN_OPTIONS, json: { help: "Print JSON." } },
  examples: [
    ["meshnode chain status --chain wss://rpc.example.org", "a chain"],
    [
      "meshnode chain status --chain ws://127.0.0.1:9944 --json",
      "for programs",
    ],
    [
      "meshnode chain status --chain local:.meshnode/dev/chain.db",
      "the chain of `meshnode dev`",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, hypertensor, signal }) => {
      const view = await chain.view(undefined, { signal });
      const constants = await chain.constants({ signal });
      const report: StatusReport = {
        ...(hypertensor === undefined
          ? {
            name: undefined,
            endpoint: undefined,
            runtime: undefined,
            network: undefined,
          }
          : await ofHypertensor(hypertensor, view.block, signal)),
        block: view.block,
        time: await view.time({ signal }),
        constants,
        networkEpoch: networkEpoch(view.block.number, constants.epochLength),
      };
      context.out(
        args.flag("json") ? jsonText(report) : statusText(report, Date.now()),
      );
      return EXIT.ok;
    }),
};

/** The report for people. */
export function statusText(report: StatusReport, now: number): string {
  const { block, constants, network, runtime } = report;
  const { epochLength, blockMilliseconds } = constants;
  const position = block.number % epochLength;
  const left = epochLength - position;
  return facts([
    ["Chain", report.name ?? "development chain"],
    ["Endpoint", report.endpoint],
    [
      "Runtime",
      runtime &&
      `version ${runtime.specVersion}, layout ${runtime.layout}`,
    ],
    ["Genesis", constants.genesis],
    [
      "Block",
      `${block.number}, ${duration(Math.max(0, now - report.time))} ago`,
    ],
    ["Block hash", block.hash],
    [
      "Network epoch",
      `${report.networkEpoch}: block ${position + 1} of ${epochLength}, ${
        count(left, "block")
      } (about ${duration(left * blockMilliseconds)}) to go`,
    ],
    [
      "Subnets",
      network && `${network.subnets}, ${network.activeSubnets} active`,
    ],
    ["Nodes", network && `${network.nodes}, ${network.activeNodes} active`],
    [
      "Transactions",
      network && (network.paused ? "paused by the network" : "taken"),
    ],
  ]);
}

async function ofHypertensor(
  chain: HypertensorChain,
  block: BlockRef,
  signal: AbortSignal,
): Promise<Pick<StatusReport, "name" | "endpoint" | "runtime" | "network">> {
  const { NetworkState } = await import("./network.ts");
  const { client } = chain;
  const state = new NetworkState(await client.at(block, { signal }), signal);
  const { id, types } = await client.runtime({ signal });
  const [name, subnets, active = 0, nodes = 0, activeNodes = 0, paused] =
    await Promise.all([
      client.ask("system_chain", [], { signal }),
      state.readAll("subnetsData", [], "a subnet", () => 1),
      state.number("totalActiveSubnets"),
      state.number("totalNodes"),
      state.number("totalActiveNodes"),
      state.flag("txPause"),
    ]);
  return {
    name: String(name),
    endpoint: chain.status.endpoint,
    runtime: {
      layout: types.layout,
      specVersion: id.specVersion,
      transactionVersion: id.transactionVersion,
    },
    network: {
      subnets: subnets.length,
      activeSubnets: active,
      nodes,
      activeNodes,
      paused,
    },
  };
}
