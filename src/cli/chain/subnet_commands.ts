import { parseFraction, parseTensor } from "../../chain/amount.ts";
import type { NetworkState } from "../../chain/hypertensor/network_state.ts";
import type { SubnetInput } from "../../chain/hypertensor/plans/inputs.ts";
import type { Plan } from "../../chain/hypertensor/plans/plan.ts";
import { type Parsed, usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { idArgument, parseAccount, required } from "./input.ts";
import { bootnodeOf, checkPeerId } from "./peers.ts";
import { send, SEND_OPTIONS } from "./send.ts";

type SubnetPlans = typeof import("../../chain/hypertensor/plans/subnet.ts");
type SubnetPlanner = (
  state: NetworkState,
  signer: string,
  subnetId: number,
) => Promise<Plan>;

/** `meshnode subnet register` */
export const registerSubnetCommand: Command = {
  summary: "Register a subnet.",
  usage: "--name NAME --repo URL --max-cost AMOUNT … [options]",
  description:
    `Registers a subnet, owned by the signing account. It is then activated with
\`meshnode subnet activate\`, once the coldkeys that are named here have registered
enough nodes and enough is delegated to it. The cost does not come back.`,
  options: {
    name: { value: "NAME", help: "Its name, which no other subnet has." },
    repo: { value: "URL", help: "Where its code is." },
    description: { value: "TEXT", help: "What it is for.", default: "" },
    misc: { value: "TEXT", help: "Anything else.", default: "" },
    "max-cost": { value: "AMOUNT", help: "The most TENSOR it may cost." },
    "min-stake": { value: "AMOUNT", help: "Least stake of a node, TENSOR." },
    "max-stake": { value: "AMOUNT", help: "Most stake of a node, TENSOR." },
    "delegate-share": {
      value: "PERCENT",
      help: "Share of the rewards for those who delegate to it.",
    },
    "initial-coldkey": {
      value: "ACCOUNT=COUNT",
      multiple: true,
      help: "A coldkey that may register so many nodes before the activation.",
    },
    bootnode: {
      value: "ADDR",
      multiple: true,
      help: "Address of a bootnode, with /p2p/<peer id> at its end.",
    },
    "key-type": {
      value: "TYPE",
      multiple: true,
      help:
        "Kind of keys of its peers, where the chain limits them: rsa, ed25519, secp256k1, ecdsa.",
    },
    ...SEND_OPTIONS,
  },
  examples: [
    [
      "meshnode subnet register --name storage --repo https://example.org/storage --max-cost 100 --min-stake 100 --max-stake 1000 --delegate-share 10% --initial-coldkey 0x…=1 --initial-coldkey 0x…=1 --initial-coldkey 0x…=1 --bootnode /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW… --dry-run --from 0x… --chain wss://rpc.example.org",
      "see what it costs, and whether it is possible",
    ],
  ],
  async run(args, context) {
    const input = await subnetInput(args);
    return await send(args, context, async () => {
      const { planRegisterSubnet } = await import(
        "../../chain/hypertensor/plans/register_subnet.ts"
      );
      return (state, signer) => planRegisterSubnet(state, signer, input);
    });
  },
};

async function subnetInput(args: Parsed): Promise<SubnetInput> {
  const initialColdkeys = new Map<string, number>();
  for (const text of args.texts("initial-coldkey")) {
    const [account = "", count = ""] = text.split("=");
    if (!/^[1-9]\d{0,8}$/.test(count)) {
      throw usageError(
        `"${text}" does not say how many nodes the coldkey may register.`,
        "Write ACCOUNT=COUNT, such as 0x…=1.",
      );
    }
    const coldkey = await parseAccount(account);
    if (initialColdkeys.has(coldkey)) {
      throw usageError(
        `The coldkey ${coldkey} is named twice.`,
        "Name it once, with the sum of its nodes.",
      );
    }
    initialColdkeys.set(coldkey, Number(count));
  }
  return {
    maxCost: parseTensor(required(args, "max-cost")),
    name: required(args, "name"),
    repo: required(args, "repo"),
    description: args.text("description") ?? "",
    misc: args.text("misc") ?? "",
    minStake: parseTensor(required(args, "min-stake")),
    maxStake: parseTensor(required(args, "max-stake")),
    delegateShare: parseFraction(required(args, "delegate-share")),
    initialColdkeys,
    keyTypes: args.texts("key-type"),
    bootnodes: args.texts("bootnode").map(bootnodeOf),
  };
}

/** `meshnode subnet activate` */
export const activateSubnetCommand = owners({
  name: "activate",
  summary: "Activate a registered subnet.",
  description:
    `Activates a subnet: consensus and rewards begin with the network epoch after. It
needs enough nodes and enough that is delegated to it.

After the time of registration the chain removes a subnet that is not ready;
therefore the call is not sent then.`,
  plan: ({ planActivateSubnet }) => planActivateSubnet,
});

/** `meshnode subnet pause` */
export const pauseSubnetCommand = owners({
  name: "pause",
  summary: "Pause a subnet.",
  description: "Pauses a subnet: nobody proposes, attests or earns.",
  plan: ({ planPauseSubnet }) => planPauseSubnet,
});

/** `meshnode subnet unpause` */
export const unpauseSubnetCommand = owners({
  name: "unpause",
  summary: "End the pause of a subnet.",
  description:
    "Ends the pause of a subnet: it goes on with the network epoch after.",
  plan: ({ planUnpauseSubnet }) => planUnpauseSubnet,
});

/** `meshnode subnet remove` */
export const removeSubnetCommand = owners({
  name: "remove",
  summary: "Remove a subnet for good.",
  description:
    "Removes a subnet with all of its nodes. This cannot be undone; stakes can be withdrawn afterwards.",
  plan: ({ planRemoveSubnet }) => planRemoveSubnet,
});

/** `meshnode subnet update-bootnodes` */
export const updateBootnodesCommand: Command = {
  summary: "Change the bootnodes of a subnet.",
  usage: "SUBNET [--add ADDR] [--remove PEER] [options]",
  description:
    `Changes the bootnodes that the subnet names, signed by its owner or by somebody
to whom the owner gave access.`,
  options: {
    add: {
      value: "ADDR",
      multiple: true,
      help: "Address of a bootnode, with /p2p/<peer id> at its end.",
    },
    remove: {
      value: "PEER",
      multiple: true,
      help: "Peer id of a bootnode (on chains of 2025: its address).",
    },
    ...SEND_OPTIONS,
  },
  positionals: 1,
  examples: [
    [
      "meshnode subnet update-bootnodes 128001 --add /dns4/boot.example.org/tcp/4001/p2p/12D3KooW… --key-file owner.txt --chain wss://rpc.example.org",
      "one more bootnode, or another address of one",
    ],
  ],
  run(args, context) {
    const input = {
      subnetId: idArgument(args, 0, "subnet"),
      add: args.texts("add").map(bootnodeOf),
      remove: args.texts("remove").map((each) =>
        each.startsWith("/") ? each : checkPeerId(each)
      ),
    };
    if (input.add.length + input.remove.length === 0) {
      throw usageError(
        "Nothing is to be changed.",
        "Give --add ADDR or --remove PEER.",
      );
    }
    return send(args, context, async () => {
      const { planUpdateBootnodes } = await import(
        "../../chain/hypertensor/plans/subnet.ts"
      );
      return (state, signer) => planUpdateBootnodes(state, signer, input);
    });
  },
};

/** A command of the owner that needs the subnet's id only. */
function owners(
  { name, summary, description, plan }: {
    readonly name: string;
    readonly summary: string;
    readonly description: string;
    readonly plan: (plans: SubnetPlans) => SubnetPlanner;
  },
): Command {
  return {
    summary,
    usage: "SUBNET [options]",
    description: `${description}\n\nSigned by the owner of the subnet.`,
    options: SEND_OPTIONS,
    positionals: 1,
    examples: [
      [
        `meshnode subnet ${name} 128001 --dry-run --from 0x… --chain wss://rpc.example.org`,
        "see whether it is possible",
      ],
      [
        `meshnode subnet ${name} 128001 --key-file owner.txt --chain wss://rpc.example.org`,
        "do it",
      ],
    ],
    run(args, context) {
      const subnetId = idArgument(args, 0, "subnet");
      return send(args, context, async () => {
        const planner = plan(
          await import("../../chain/hypertensor/plans/subnet.ts"),
        );
        return (state, signer) => planner(state, signer, subnetId);
      });
    },
  };
}
