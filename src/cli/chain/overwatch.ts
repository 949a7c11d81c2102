import { formatTensor } from "../../chain/amount.ts";
import type {
  OverwatchEpoch,
  OverwatchNode,
  OverwatchWeight,
} from "../../chain/hypertensor/overwatch.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { type Column, facts, table } from "../table.ts";
import { idArgument, parseId } from "./input.ts";
import { CHAIN_OPTIONS, withNetwork } from "./open.ts";
import { count, duration, percent } from "./words.ts";

/** `meshnode overwatch status` */
export const overwatchStatusCommand: Command = {
  summary: "Show the overwatch epoch.",
  usage: "--chain URL [options]",
  description:
    `Overwatch nodes weigh subnets: in the first part of an overwatch epoch they
commit to their weights, in the second they reveal them.`,
  options: { ...CHAIN_OPTIONS, json: { help: "Print JSON." } },
  examples: [
    [
      "meshnode overwatch status --chain wss://rpc.example.org",
      "where it stands",
    ],
  ],
  run: (args, context) =>
    withNetwork(args, context, async ({ state }) => {
      const { overwatchEpoch } = await import(
        "../../chain/hypertensor/overwatch.ts"
      );
      const epoch = await overwatchEpoch(state);
      const { block, constants } = state;
      context.out(
        args.flag("json") ? jsonText({ block, ...epoch }) : overwatchEpochText(
          epoch,
          block.number,
          constants.blockMilliseconds,
        ),
      );
      return EXIT.ok;
    }),
};

/** The overwatch epoch for people. */
export function overwatchEpochText(
  epoch: OverwatchEpoch,
  block: number,
  blockMilliseconds: number,
): string {
  const end = epoch.phase === "commit" ? epoch.cutoffBlock : epoch.nextBlock;
  const left = end - block;
  return facts([
    ["Overwatch epoch", String(epoch.epoch)],
    ["Block", `${block}; the epoch began with ${epoch.firstBlock}`],
    [
      "Now",
      `nodes ${epoch.phase} weights, for ${count(left, "block")} more (about ${
        duration(left * blockMilliseconds)
      })`,
    ],
    ["Commits until", `block ${epoch.cutoffBlock - 1}`],
    ["Reveals until", `block ${epoch.nextBlock - 1}`],
  ]);
}

/** `meshnode overwatch nodes` */
export const overwatchNodesCommand: Command = {
  summary: "List the overwatch nodes.",
  usage: "--chain URL [options]",
  description:
    "Lists the overwatch nodes with their keys, stakes and peers in subnets.",
  options: { ...CHAIN_OPTIONS, json: { help: "Print JSON." } },
  examples: [
    ["meshnode overwatch nodes --chain wss://rpc.example.org", "all of them"],
  ],
  run: (args, context) =>
    withNetwork(args, context, async ({ state }) => {
      const { overwatchNodes } = await import(
        "../../chain/hypertensor/overwatch.ts"
      );
      const nodes = await overwatchNodes(state);
      context.out(
        args.flag("json")
          ? jsonText({ block: state.block, nodes })
          : overwatchNodesText(nodes),
      );
      return EXIT.ok;
    }),
};

const NODE_COLUMNS: readonly Column<OverwatchNode>[] = [
  { title: "Id", align: "right", cell: ({ id }) => String(id) },
  {
    title: "Stake (TENSOR)",
    align: "right",
    cell: ({ stake }) => formatTensor(stake),
  },
  { title: "Hotkey", cell: ({ hotkey }) => hotkey },
  { title: "Coldkey", cell: ({ coldkey }) => coldkey ?? "nobody" },
  {
    title: "Peers",
    cell: ({ peers }) =>
      [...peers].map(([subnetId, peer]) => `${subnetId}: ${peer}`).join(", "),
  },
];

/** The overwatch nodes for people. */
export function overwatchNodesText(nodes: readonly OverwatchNode[]): string {
  return nodes.length === 0
    ? "There are no overwatch nodes."
    : table(NODE_COLUMNS, nodes);
}

/** `meshnode overwatch weights` */
export const overwatchWeightsCommand: Command = {
  summary: "Show what an overwatch node committed and revealed.",
  usage: "NODE --chain URL [options]",
  description:
    "Shows, subnet by subnet, the hash that an overwatch node committed and the weight that it revealed.",
  options: {
    ...CHAIN_OPTIONS,
    epoch: {
      value: "N",
      help: "The overwatch epoch; the present one by default.",
    },
    json: { help: "Print JSON." },
  },
  positionals: 1,
  examples: [
    [
      "meshnode overwatch weights 1 --chain wss://rpc.example.org",
      "of node 1 in the present epoch",
    ],
    [
      "meshnode overwatch weights 1 --epoch 41 --chain wss://rpc.example.org",
      "in an earlier one",
    ],
  ],
  run: (args, context) =>
    withNetwork(args, context, async ({ state }) => {
      const nodeId = idArgument(args, 0, "overwatch node");
      const { overwatchEpoch, overwatchWeights } = await import(
        "../../chain/hypertensor/overwatch.ts"
      );
      const text = args.text("epoch");
      const epoch = text === undefined
        ? (await overwatchEpoch(state)).epoch
        : parseId(text, "overwatch epoch");
      const weights = await overwatchWeights(state, epoch, nodeId);
      context.out(
        args.flag("json")
          ? jsonText({ block: state.block, nodeId, epoch, weights })
          : overwatchWeightsText(epoch, weights),
      );
      return EXIT.ok;
    }),
};

const WEIGHT_COLUMNS: readonly Column<OverwatchWeight>[] = [
  {
    title: "Subnet",
    align: "right",
    cell: ({ subnetId }) => String(subnetId),
  },
  {
    title: "Weight",
    align: "right",
    cell: ({ weight }) =>
      weight === undefined ? "not revealed" : percent(weight),
  },
  { title: "Commit", cell: ({ commit }) => commit ?? "none" },
];

/** Commits and weights for people. */
export function overwatchWeightsText(
  epoch: number,
  weights: readonly OverwatchWeight[],
): string {
  return weights.length === 0
    ? `Nothing was committed in overwatch epoch ${epoch}.`
    : table(WEIGHT_COLUMNS, weights);
}
