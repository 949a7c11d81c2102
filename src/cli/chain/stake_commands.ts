import { parseTensor } from "../../chain/amount.ts";
import type { Options, Parsed } from "../args.ts";
import type { Command } from "../command.ts";
import { idArgument, parseAccount, required } from "./input.ts";
import { send, SEND_OPTIONS } from "./send.ts";

const AMOUNT: Options = {
  amount: { value: "AMOUNT", help: "TENSOR, such as 100 or 0.5." },
};
const AMOUNT_OR_ALL: Options = {
  amount: { value: "AMOUNT", help: "TENSOR, such as 100 or 0.5, or `all`." },
};
const HOTKEY: Options = {
  hotkey: { value: "ACCOUNT", help: "The hotkey that has the stake." },
};

/** `meshnode stake add` */
export const addStakeCommand: Command = {
  summary: "Add to the stake of a node.",
  usage: "SUBNET --hotkey ACCOUNT --amount AMOUNT [options]",
  description: "Adds to the stake of a node, signed by its coldkey.",
  options: { ...HOTKEY, ...AMOUNT, ...SEND_OPTIONS },
  positionals: 1,
  examples: [
    [
      "meshnode stake add 128001 --hotkey 0x… --amount 50 --key-file coldkey.txt --chain wss://rpc.example.org",
      "50 TENSOR more",
    ],
  ],
  async run(args, context) {
    const input = {
      subnetId: idArgument(args, 0, "subnet"),
      hotkey: await parseAccount(required(args, "hotkey")),
      amount: parseTensor(required(args, "amount")),
    };
    return await send(args, context, async () => {
      const { planAddStake } = await import(
        "../../chain/hypertensor/plans/stake.ts"
      );
      return (state, signer) => planAddStake(state, signer, input);
    });
  },
};

/** `meshnode stake remove` */
export const removeStakeCommand: Command = {
  summary: "Withdraw stake of a node.",
  usage: "SUBNET --hotkey ACCOUNT --amount AMOUNT [options]",
  description:
    `Withdraws stake, signed by the coldkey. It has to wait for some epochs, and is
then collected with \`meshnode stake claim\`. A node keeps the least stake of
its subnet; once it is removed, everything can be withdrawn.`,
  options: { ...HOTKEY, ...AMOUNT_OR_ALL, ...SEND_OPTIONS },
  positionals: 1,
  examples: [
    [
      "meshnode stake remove 128001 --hotkey 0x… --amount 50 --key-file coldkey.txt --chain wss://rpc.example.org",
      "withdraw 50 TENSOR",
    ],
    [
      "meshnode stake remove 128001 --hotkey 0x… --amount all --key-file coldkey.txt --chain wss://rpc.example.org",
      "all but what the node must keep; everything once it is removed",
    ],
  ],
  async run(args, context) {
    const input = {
      subnetId: idArgument(args, 0, "subnet"),
      hotkey: await parseAccount(required(args, "hotkey")),
      amount: amountOrAll(args),
    };
    return await send(args, context, async () => {
      const { planRemoveStake } = await import(
        "../../chain/hypertensor/plans/stake.ts"
      );
      return (state, signer) => planRemoveStake(state, signer, input);
    });
  },
};

/** `meshnode stake claim` */
export const claimCommand: Command = {
  summary: "Collect what was withdrawn.",
  usage: "[options]",
  description:
    `Collects all withdrawals of the signing account that have waited long enough.
\`meshnode chain stake\` tells which ones wait.`,
  options: SEND_OPTIONS,
  examples: [
    [
      "meshnode stake claim --key-file coldkey.txt --chain wss://rpc.example.org",
      "collect",
    ],
  ],
  run: (args, context) =>
    send(args, context, async () => {
      const { planClaim } = await import(
        "../../chain/hypertensor/plans/stake.ts"
      );
      return planClaim;
    }),
};

/** `meshnode stake delegate` */
export const delegateCommand: Command = {
  summary: "Delegate to a subnet.",
  usage: "SUBNET --amount AMOUNT [options]",
  description:
    `Delegates to a subnet for a share of its rewards. Any account can, and can
withdraw it again with \`meshnode stake undelegate\`.`,
  options: { ...AMOUNT, ...SEND_OPTIONS },
  positionals: 1,
  examples: [
    [
      "meshnode stake delegate 128001 --amount 1_000 --key-file account.txt --chain wss://rpc.example.org",
      "delegate 1000 TENSOR",
    ],
  ],
  run(args, context) {
    const subnetId = idArgument(args, 0, "subnet");
    const amount = parseTensor(required(args, "amount"));
    return send(args, context, async () => {
      const { planDelegate } = await import(
        "../../chain/hypertensor/plans/delegation.ts"
      );
      return (state, signer) =>
        planDelegate(state, signer, { subnetId, amount });
    });
  },
};

/** `meshnode stake undelegate` */
export const undelegateCommand: Command = {
  summary: "Withdraw what was delegated to a subnet.",
  usage: "SUBNET --amount AMOUNT [options]",
  description:
    `Withdraws what was delegated to a subnet. It has to wait for some epochs, and is
then collected with \`meshnode stake claim\`. The chain counts in shares, so that
the amount may differ in its last digits.`,
  options: { ...AMOUNT_OR_ALL, ...SEND_OPTIONS },
  positionals: 1,
  examples: [
    [
      "meshnode stake undelegate 128001 --amount 500 --key-file account.txt --chain wss://rpc.example.org",
      "withdraw 500 TENSOR",
    ],
  ],
  run(args, context) {
    const subnetId = idArgument(args, 0, "subnet");
    const amount = amountOrAll(args);
    return send(args, context, async () => {
      const { planUndelegate } = await import(
        "../../chain/hypertensor/plans/delegation.ts"
      );
      return (state, signer) =>
        planUndelegate(state, signer, { subnetId, amount });
    });
  },
};

/** `meshnode stake transfer` */
export const transferCommand: Command = {
  summary: "Hand what was delegated to another account.",
  usage: "SUBNET --amount AMOUNT --to ACCOUNT [options]",
  description:
    "Hands what was delegated to a subnet to another account, where it goes on to earn.",
  options: {
    ...AMOUNT_OR_ALL,
    to: { value: "ACCOUNT", help: "The account that gets it." },
    ...SEND_OPTIONS,
  },
  positionals: 1,
  examples: [
    [
      "meshnode stake transfer 128001 --amount 500 --to 0x… --key-file account.txt --chain wss://rpc.example.org",
      "hand over 500 TENSOR",
    ],
  ],
  async run(args, context) {
    const input = {
      subnetId: idArgument(args, 0, "subnet"),
      amount: amountOrAll(args),
      to: await parseAccount(required(args, "to")),
    };
    return await send(args, context, async () => {
      const { planTransfer } = await import(
        "../../chain/hypertensor/plans/delegation.ts"
      );
      return (state, signer) => planTransfer(state, signer, input);
    });
  },
};

/** `meshnode stake donate` */
export const donateCommand: Command = {
  summary: "Give to all who delegated to a subnet.",
  usage: "SUBNET --amount AMOUNT [options]",
  description:
    "Gives to the pool of those who delegated to a subnet. It comes back to nobody.",
  options: { ...AMOUNT, ...SEND_OPTIONS },
  positionals: 1,
  examples: [
    [
      "meshnode stake donate 128001 --amount 10 --key-file account.txt --chain wss://rpc.example.org",
      "give 10 TENSOR",
    ],
  ],
  run(args, context) {
    const subnetId = idArgument(args, 0, "subnet");
    const amount = parseTensor(required(args, "amount"));
    return send(args, context, async () => {
      const { planDonate } = await import(
        "../../chain/hypertensor/plans/delegation.ts"
      );
      return (state, signer) => planDonate(state, signer, { subnetId, amount });
    });
  },
};

function amountOrAll(args: Parsed): bigint | "all" {
  const text = required(args, "amount");
  return text === "all" ? text : parseTensor(text);
}
