import type { Bootnode } from "../../chain/hypertensor/declared/answers.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { type Column, table } from "../table.ts";
import { noSubnet } from "./epoch_report.ts";
import { idArgument } from "./input.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";

/** A bootnode, and who names it. */
export interface NamedBootnode extends Bootnode {
  /** Who names it. */
  readonly of: "subnet" | "node" | "queued node";
}

/** `meshnode chain bootnodes` */
export const bootnodesCommand: Command = {
  summary: "List the bootnodes of a subnet.",
  usage: "SUBNET --chain URL [options]",
  description:
    `Lists the peers through which a mesh can be entered: those that the subnet
itself names, and those that its nodes offer.`,
  options: {
    ...ANY_CHAIN_OPTIONS,
    addresses: { help: "Print the addresses alone, one per line." },
    json: { help: "Print JSON." },
  },
  positionals: 1,
  examples: [
    [
      "meshnode chain bootnodes 128001 --chain wss://rpc.example.org",
      "all bootnodes of a subnet",
    ],
    [
      "meshnode chain bootnodes 128001 --addresses --chain wss://rpc.example.org",
      "for `meshnode run --bootstrap`",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, hypertensor, signal }) => {
      const subnetId = idArgument(args, 0, "subnet");
      const view = await chain.view(undefined, { signal });
      if (await view.subnet(subnetId, { signal }) === undefined) {
        throw noSubnet(subnetId);
      }
      let bootnodes: readonly NamedBootnode[];
      if (hypertensor === undefined) {
        const own = await view.bootnodes(subnetId, { signal });
        bootnodes = own.map((each) => ({ ...each, of: "subnet" }));
      } else {
        const { NetworkState } = await import("./network.ts");
        const reader = await hypertensor.client.at(view.block, { signal });
        const lists = await new NetworkState(reader, signal)
          .bootnodes(subnetId);
        bootnodes = [
          ...lists.subnet.map((each) => ({ ...each, of: "subnet" }) as const),
          ...lists.nodes.map((each) => ({ ...each, of: "node" }) as const),
          ...lists.queued.map((each) =>
            ({ ...each, of: "queued node" }) as const
          ),
        ];
      }
      if (args.flag("json")) {
        context.out(jsonText({ block: view.block, subnetId, bootnodes }));
      } else if (args.flag("addresses")) {
        const addresses = bootnodes.flatMap((each) => addressOf(each) ?? []);
        for (const address of addresses) context.out(address);
      } else context.out(bootnodesText(bootnodes));
      return EXIT.ok;
    }),
};

const COLUMNS: readonly Column<NamedBootnode>[] = [
  { title: "Of", cell: (each) => each.of },
  { title: "Peer", cell: ({ peerId }) => peerId ?? "?" },
  { title: "Address", cell: (each) => addressOf(each) ?? "none" },
];

/** The bootnodes for people. */
export function bootnodesText(bootnodes: readonly NamedBootnode[]): string {
  return bootnodes.length === 0
    ? "There are no bootnodes."
    : table(COLUMNS, bootnodes);
}

/** An address by which the peer can be dialled. */
function addressOf({ peerId, multiaddr }: Bootnode): string | undefined {
  if (multiaddr === undefined) return undefined;
  // What strangers wrote is printed only where it can be an address.
  if (!/^\/[\x21-\x7e]+$/.test(multiaddr)) return undefined;
  return peerId === undefined || /\/p2p\/[^/]+$/.test(multiaddr)
    ? multiaddr
    : `${multiaddr}/p2p/${peerId}`;
}
