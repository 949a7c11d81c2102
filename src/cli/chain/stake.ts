import { formatTensor } from "../../chain/amount.ts";
import type { Holdings } from "../../chain/hypertensor/holdings.ts";
import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { type Column, facts, table } from "../table.ts";
import { parseAccount } from "./input.ts";
import { CHAIN_OPTIONS, withNetwork } from "./open.ts";
import { duration, tensor } from "./words.ts";

/** `meshnode chain stake` */
export const stakeCommand: Command = {
  summary: "Show what an account has at stake.",
  usage: "ACCOUNT --chain URL [options]",
  description:
    `Shows the stakes of an account's nodes, what it delegated, and what it withdrew
and can collect, now or later. The account is a coldkey's or a hotkey's.`,
  options: { ...CHAIN_OPTIONS, json: { help: "Print JSON." } },
  positionals: 1,
  examples: [
    [
      "meshnode chain stake 0x3cd0a705a2dc65e5b1e1205896baa2be8a07c6e0 --chain wss://rpc.example.org",
      "all that a coldkey has at stake",
    ],
  ],
  run: async (args, context) => {
    const [text] = args.positionals;
    if (text === undefined) {
      throw usageError(
        "It is not said whose stake is meant.",
        "Give an account, 0x and 40 hex digits.",
      );
    }
    const account = await parseAccount(text);
    return await withNetwork(args, context, async ({ state }) => {
      const { holdingsOf } = await import(
        "../../chain/hypertensor/holdings.ts"
      );
      const holdings = await holdingsOf(state, account);
      const { block, constants } = state;
      context.out(
        args.flag("json") ? jsonText({ block, ...holdings }) : holdingsText(
          holdings,
          block.number,
          constants.blockMilliseconds,
        ),
      );
      return EXIT.ok;
    });
  },
};

type Row = readonly [what: string, amount: bigint, more: string];

const COLUMNS: readonly Column<Row>[] = [
  { title: "What", cell: ([what]) => what },
  {
    title: "TENSOR",
    align: "right",
    cell: ([, amount]) => formatTensor(amount),
  },
  { title: "", cell: ([, , more]) => more },
];

/** All that an account holds, for people. */
export function holdingsText(
  holdings: Holdings,
  block: number,
  blockMilliseconds: number,
): string {
  const rows: Row[] = [
    ["Free", holdings.free, ""],
    ...holdings.stakes.map(({ hotkey, subnetId, nodeId, stake }): Row => [
      subnetId === undefined
        ? "Hotkey without a subnet"
        : nodeId === undefined
        ? `Stake in subnet ${subnetId}, node removed`
        : `Stake of node ${nodeId} in subnet ${subnetId}`,
      stake,
      hotkey,
    ]),
    ...holdings.delegated.map(({ subnetId, balance, shares }): Row => [
      `Delegated to subnet ${subnetId}`,
      balance,
      `${shares} shares`,
    ]),
    ...holdings.nodeDelegated.map((
      { subnetId, subnetNodeId, balance, shares },
    ): Row => [
      `Delegated to node ${subnetNodeId} in subnet ${subnetId}`,
      balance,
      `${shares} shares`,
    ]),
    ...holdings.unbondings.map((each): Row => [
      "Withdrawn",
      each.amount,
      each.block <= block
        ? "can be collected: `meshnode stake claim`"
        : `from block ${each.block}, in about ${
          duration((each.block - block) * blockMilliseconds)
        }`,
    ]),
  ];
  const sum = rows.reduce((total, [, amount]) => total + amount, 0n);
  return [
    facts([
      ["Account", holdings.account],
      ["Hotkey of", holdings.owner],
    ]),
    "",
    table(COLUMNS, rows),
    "",
    `${tensor(sum)} in all.`,
  ].join("\n");
}
