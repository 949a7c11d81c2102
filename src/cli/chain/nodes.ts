import { formatTensor } from "../../chain/amount.ts";
import {
  atLeast,
  NODE_CLASSES,
  type NodeClass,
  type SubnetNodeInfo,
} from "../../chain/types.ts";
import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { type Column, table } from "../table.ts";
import { noSubnet } from "./epoch_report.ts";
import { idArgument } from "./input.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";
import { CLASS_WORDS, count, percent } from "./words.ts";

/** `meshnode chain nodes` */
export const nodesCommand: Command = {
  summary: "List the nodes of a subnet.",
  usage: "SUBNET --chain URL [options]",
  description: `Lists the nodes of a subnet, those in the queue included.

A class counts from the subnet epoch that is shown beside it.
${
    NODE_CLASSES.map((each) => `  ${each.padEnd(10)}  ${CLASS_WORDS[each]}`)
      .join("\n")
  }`,
  options: {
    ...ANY_CHAIN_OPTIONS,
    "min-class": {
      value: "CLASS",
      help: `Only nodes of at least this class: ${NODE_CLASSES.join(", ")}.`,
      default: "registered",
    },
    json: { help: "Print JSON." },
  },
  positionals: 1,
  examples: [
    [
      "meshnode chain nodes 128001 --chain wss://rpc.example.org",
      "all nodes of a subnet",
    ],
    [
      "meshnode chain nodes 128001 --min-class validator --json --chain ws://127.0.0.1:9944",
      "its validators, for programs",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, signal }) => {
      const subnetId = idArgument(args, 0, "subnet");
      const least = classOption(args.text("min-class") as string);
      const view = await chain.view(undefined, { signal });
      const [subnet, all] = await Promise.all([
        view.subnet(subnetId, { signal }),
        view.nodes(subnetId, { signal }),
      ]);
      if (subnet === undefined) throw noSubnet(subnetId);
      const nodes = all.filter(({ nodeClass }) => atLeast(nodeClass, least));
      context.out(
        args.flag("json")
          ? jsonText({ block: view.block, subnetId, nodes })
          : nodesText(nodes),
      );
      return EXIT.ok;
    }),
};

const COLUMNS: readonly Column<SubnetNodeInfo>[] = [
  { title: "Id", align: "right", cell: ({ id }) => String(id) },
  { title: "Class", cell: ({ nodeClass }) => nodeClass },
  { title: "From", align: "right", cell: ({ startEpoch }) => `${startEpoch}` },
  {
    title: "Stake (TENSOR)",
    align: "right",
    cell: ({ stake }) => formatTensor(stake),
  },
  {
    title: "Reputation",
    align: "right",
    cell: ({ reputation }) => percent(reputation),
  },
  { title: "Hotkey", cell: ({ hotkey }) => hotkey },
  { title: "Peer", cell: ({ peer }) => peer.peerId },
];

/** The nodes for people. */
export function nodesText(nodes: readonly SubnetNodeInfo[]): string {
  const byClass = NODE_CLASSES.map((each) =>
    [each, nodes.filter(({ nodeClass }) => nodeClass === each).length] as const
  ).filter(([, number]) => number > 0);
  return [
    table(COLUMNS, nodes),
    "",
    byClass.length === 0
      ? "There are none."
      : `${count(nodes.length, "node")}: ${
        byClass.map(([each, number]) => `${number} ${each}`).join(", ")
      }.`,
  ].join("\n");
}

function classOption(text: string): NodeClass {
  const found = NODE_CLASSES.find((each) => each === text);
  if (found !== undefined) return found;
  throw usageError(
    `There is no class "${text}".`,
    `The classes are ${NODE_CLASSES.join(", ")}.`,
  );
}
