import type { SubnetDetails } from "../../chain/hypertensor/declared/answers.ts";
import { networkEpoch } from "../../chain/epoch.ts";
import type { ChainConstants, SubnetInfo } from "../../chain/types.ts";
import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { type Column, facts, printable, table } from "../table.ts";
import { noSubnet } from "./epoch_report.ts";
import { idArgument } from "./input.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";
import { count, epochWords, percent, tensor } from "./words.ts";

/** `meshnode chain subnet` */
export const subnetCommand: Command = {
  summary: "Show a subnet, or list all of them.",
  usage: "[SUBNET] --chain URL [options]",
  description:
    `Shows everything that the chain tells of a subnet: state, owner, stakes,
classes, reputation, bootnodes. Without an id it lists all subnets.`,
  options: { ...ANY_CHAIN_OPTIONS, json: { help: "Print JSON." } },
  positionals: 1,
  examples: [
    ["meshnode chain subnet --chain wss://rpc.example.org", "all subnets"],
    [
      "meshnode chain subnet 128001 --chain wss://rpc.example.org",
      "one of them",
    ],
    [
      "meshnode chain subnet 128001 --json --chain ws://127.0.0.1:9944",
      "for programs: every field, amounts in base units",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, hypertensor, signal }) => {
      const json = args.flag("json");
      const constants = await chain.constants({ signal });
      const view = await chain.view(undefined, { signal });
      const { block } = view;
      const wanted = args.positionals.length === 0
        ? undefined
        : idArgument(args, 0, "subnet");
      if (hypertensor === undefined) {
        if (wanted === undefined) {
          throw usageError(
            "A development chain does not list its subnets.",
            "Give the subnet's id; that of `meshnode dev` is 1.",
          );
        }
        const subnet = await view.subnet(wanted, { signal });
        if (subnet === undefined) throw noSubnet(wanted);
        context.out(json ? jsonText({ block, subnet }) : briefText(subnet));
        return EXIT.ok;
      }
      const { NetworkState } = await import("./network.ts");
      const reader = await hypertensor.client.at(block, { signal });
      const state = new NetworkState(reader, signal);
      if (wanted === undefined) {
        const subnets = await state.subnets();
        context.out(json ? jsonText({ block, subnets }) : listText(subnets));
        return EXIT.ok;
      }
      const subnet = await state.subnet(wanted);
      if (subnet === undefined) throw noSubnet(wanted);
      context.out(
        json
          ? jsonText({ block, subnet })
          : detailsText(subnet, block.number, constants),
      );
      return EXIT.ok;
    }),
};

const COLUMNS: readonly Column<SubnetDetails>[] = [
  { title: "Id", align: "right", cell: ({ id }) => String(id) },
  { title: "Name", cell: ({ name }) => name },
  { title: "State", cell: ({ state }) => state },
  {
    title: "Slot",
    align: "right",
    cell: ({ slotIndex }) => String(slotIndex ?? "-"),
  },
  {
    title: "Nodes",
    align: "right",
    cell: ({ totalNodes }) => String(totalNodes),
  },
  {
    title: "Active",
    align: "right",
    cell: ({ totalActiveNodes }) => String(totalActiveNodes),
  },
  {
    title: "Validators",
    align: "right",
    cell: ({ totalElectableNodes }) => String(totalElectableNodes),
  },
  {
    title: "Least stake",
    align: "right",
    cell: ({ minStake }) => tensor(minStake),
  },
  { title: "Repository", cell: ({ repo }) => repo },
];

/** All subnets for people. */
export function listText(subnets: readonly SubnetDetails[]): string {
  return `${table(COLUMNS, subnets)}\n\n${count(subnets.length, "subnet")}.`;
}

/** A subnet of a development chain for people. */
export function briefText(subnet: SubnetInfo): string {
  return facts([
    ["Id", String(subnet.id)],
    ["Name", subnet.name],
    ["State", subnet.state],
    ["Active from", `network epoch ${subnet.startEpoch}`],
    ["Slot", subnet.slot === undefined ? "none" : String(subnet.slot)],
    ["Least stake", tensor(subnet.minStake)],
  ]);
}

/** A subnet for people. */
export function detailsText(
  subnet: SubnetDetails,
  block: number,
  constants: ChainConstants,
): string {
  const { slotIndex, initialColdkeys, initialColdkeyData } = subnet;
  const registered = new Map(initialColdkeyData ?? []);
  const sections: (readonly [string, Parameters<typeof facts>[0]])[] = [
    [`Subnet ${subnet.id}: ${subnet.name}`, [
      ["Repository", subnet.repo],
      ["Description", subnet.description || undefined],
      ["More", subnet.misc || undefined],
      ["State", stateWords(subnet, block, constants)],
      ["Owner", subnet.owner ?? "nobody"],
      ["Next owner", subnet.pendingOwner],
      ["Kinds of keys", subnet.keyTypes?.join(", ")],
      ["Slot", slotIndex === undefined ? "none" : String(slotIndex)],
      [
        "Epoch",
        slotIndex === undefined
          ? undefined
          : epochWords(block, slotIndex, constants),
      ],
    ]],
    ["Nodes", [
      [
        "All",
        `${subnet.totalNodes}: ${subnet.totalActiveNodes} active, ${subnet.totalElectableNodes} validators`,
      ],
      [
        "Stake of a node",
        `${tensor(subnet.minStake)} to ${tensor(subnet.maxStake)}`,
      ],
      ["Stake of all", tensor(subnet.totalSubnetStake)],
      [
        "Queue",
        `${count(subnet.subnetNodeQueueEpochs, "epoch")}, at most ${
          count(subnet.maxRegisteredNodes, "node")
        }`,
      ],
      ["Idle", count(subnet.idleClassificationEpochs, "epoch")],
      ["Included", count(subnet.includedClassificationEpochs, "epoch")],
      [
        "Activated at once",
        `${count(subnet.churnLimit, "node")} every ${
          count(subnet.churnLimitMultiplier, "epoch")
        }`,
      ],
      [
        "Registered this epoch",
        `${subnet.nodeRegistrationsThisEpoch} of ${subnet.targetNodeRegistrationsPerEpoch} expected`,
      ],
      ["Burn rate", percent(subnet.currentNodeBurnRate)],
      ...(initialColdkeys ?? []).map(([coldkey, most]) =>
        [
          "May begin",
          `${coldkey}, ${registered.get(coldkey) ?? 0} of ${most} registered`,
        ] as const
      ),
    ]],
    ["Delegated", [
      ["All", tensor(subnet.totalSubnetDelegateStakeBalance)],
      ["Must be", tensor(subnet.currentMinDelegateStake)],
      ["Share of the rewards", percent(subnet.delegateStakePercentage)],
    ]],
    ["Reputation", [
      ["Of the subnet", percent(subnet.reputation)],
      ["Least of a node", percent(subnet.minSubnetNodeReputation)],
      [
        "Lost by absence",
        percent(subnet.absentDecreaseReputationFactor),
      ],
      [
        "Lost without attesting",
        percent(subnet.nonAttestorDecreaseReputationFactor),
      ],
      [
        "Lost without proposing",
        percent(subnet.validatorAbsentReputationFactor),
      ],
      [
        "Lost without agreement",
        percent(subnet.validatorNonConsensusReputationFactor),
      ],
      [
        "Won by being included",
        percent(subnet.includedIncreaseReputationFactor),
      ],
    ]],
    ["Bootnodes", [
      ...subnet.bootnodes.map(({ peerId, multiaddr }) =>
        [peerId ?? "?", multiaddr ?? "no address that can be read"] as const
      ),
      ...subnet.bootnodeAccess.map((each) => ["May change", each] as const),
    ]],
  ];
  return sections.filter(([, pairs]) => pairs.length > 0)
    .map(([title, pairs]) => `${printable(title)}\n${indent(facts(pairs))}`)
    .join("\n\n");
}

function stateWords(
  subnet: SubnetDetails,
  block: number,
  { epochLength }: ChainConstants,
): string {
  const epoch = networkEpoch(block, epochLength);
  switch (subnet.state) {
    case "active":
      return `active since network epoch ${subnet.startEpoch}, now ${epoch}`;
    case "paused":
      return `paused since network epoch ${subnet.startEpoch}, now ${epoch}`;
    case "registered":
      return `registered in network epoch ${
        subnet.registrationEpoch ?? "?"
      }, now ${epoch}; not active yet`;
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
