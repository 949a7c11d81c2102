import type { NodeDetails } from "../../chain/hypertensor/declared/answers.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { type Column, facts, table } from "../table.ts";
import { noSubnet } from "./epoch_report.ts";
import { idArgument } from "./input.ts";
import { CHAIN_OPTIONS, withNetwork } from "./open.ts";
import { percent } from "./words.ts";

/** `meshnode chain reputation` */
export const reputationCommand: Command = {
  summary: "Show the reputation of a subnet's nodes and their owners.",
  usage: "SUBNET --chain URL [options]",
  description:
    `Lists the nodes of a subnet with their reputation, the lowest first. A node that
falls under the subnet's least is removed. 100 % is full.`,
  options: { ...CHAIN_OPTIONS, json: { help: "Print JSON." } },
  positionals: 1,
  examples: [
    [
      "meshnode chain reputation 128001 --chain wss://rpc.example.org",
      "who is in danger",
    ],
  ],
  run: (args, context) =>
    withNetwork(args, context, async ({ state }) => {
      const subnetId = idArgument(args, 0, "subnet");
      const [subnet, nodes] = await Promise.all([
        state.subnet(subnetId),
        state.nodes(subnetId),
      ]);
      if (subnet === undefined) throw noSubnet(subnetId);
      const least = subnet.minSubnetNodeReputation;
      context.out(
        args.flag("json")
          ? jsonText({
            block: state.block,
            subnetId,
            reputation: subnet.reputation,
            least,
            nodes: nodes.map((node) => ({
              id: node.subnetNodeId,
              reputation: node.subnetNodeReputation,
              coldkey: node.coldkey,
              coldkeyReputation: node.coldkeyReputation,
            })),
          })
          : reputationText(subnet.reputation, least, nodes),
      );
      return EXIT.ok;
    }),
};

const COLUMNS: readonly Column<NodeDetails>[] = [
  { title: "Id", align: "right", cell: (node) => String(node.subnetNodeId) },
  {
    title: "Reputation",
    align: "right",
    cell: (node) => percent(node.subnetNodeReputation),
  },
  { title: "Class", cell: (node) => node.classification.nodeClass },
  { title: "Coldkey", cell: (node) => node.coldkey },
  {
    title: "Its reputation",
    align: "right",
    cell: (node) => percent(node.coldkeyReputation.score),
  },
  {
    title: "Attested",
    align: "right",
    cell: (node) => percent(node.coldkeyReputation.averageAttestation),
  },
  {
    title: "Up",
    align: "right",
    cell: (node) => String(node.coldkeyReputation.totalIncreases),
  },
  {
    title: "Down",
    align: "right",
    cell: (node) => String(node.coldkeyReputation.totalDecreases),
  },
];

/** Reputations for people, the lowest first. */
export function reputationText(
  subnet: bigint,
  least: bigint,
  nodes: readonly NodeDetails[],
): string {
  const sorted = [...nodes].sort((a, b) =>
    a.subnetNodeReputation < b.subnetNodeReputation
      ? -1
      : a.subnetNodeReputation > b.subnetNodeReputation
      ? 1
      : a.subnetNodeId - b.subnetNodeId
  );
  return [
    facts([
      ["Of the subnet", percent(subnet)],
      ["Least of a node", percent(least)],
    ]),
    "",
    table(COLUMNS, sorted),
  ].join("\n");
}
