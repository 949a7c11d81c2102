import type { Command } from "../command.ts";
import { idArgument, parseAccount, required } from "./input.ts";
import { send, SEND_OPTIONS } from "./send.ts";

/** `meshnode node remove` */
export const removeNodeCommand: Command = {
  summary: "Remove a node from its subnet.",
  usage: "SUBNET NODE [options]",
  description:
    `Removes a node from its subnet, signed by its coldkey or its hotkey. Its stake
stays, and is withdrawn with \`meshnode stake remove\`.`,
  options: SEND_OPTIONS,
  positionals: 2,
  examples: [
    [
      "meshnode node remove 128001 3 --key-file coldkey.txt --chain wss://rpc.example.org",
      "remove node 3",
    ],
  ],
  run(args, context) {
    const subnetId = idArgument(args, 0, "subnet");
    const nodeId = idArgument(args, 1, "node");
    return send(args, context, async () => {
      const { planRemoveNode } = await import(
        "../../chain/hypertensor/plans/node.ts"
      );
      return (state, signer) =>
        planRemoveNode(state, signer, { subnetId, nodeId });
    });
  },
};

/** `meshnode node update-hotkey` */
export const updateHotkeyCommand: Command = {
  summary: "Give a node another hotkey.",
  usage: "--hotkey ACCOUNT --to ACCOUNT [options]",
  description:
    `Lets another account take the place of a hotkey, signed by its coldkey: when the
machine that holds the hotkey is lost, or not trusted any more.`,
  options: {
    hotkey: { value: "ACCOUNT", help: "The present hotkey." },
    to: { value: "ACCOUNT", help: "The account that takes its place." },
    ...SEND_OPTIONS,
  },
  examples: [
    [
      "meshnode node update-hotkey --hotkey 0x… --to 0x… --key-file coldkey.txt --chain wss://rpc.example.org",
      "another hotkey",
    ],
  ],
  async run(args, context) {
    const from = await parseAccount(required(args, "hotkey"));
    const to = await parseAccount(required(args, "to"));
    return await send(args, context, async () => {
      const { planUpdateHotkey } = await import(
        "../../chain/hypertensor/plans/node.ts"
      );
      return (state, signer) => planUpdateHotkey(state, signer, { from, to });
    });
  },
};

/** `meshnode node update-coldkey` */
export const updateColdkeyCommand: Command = {
  summary: "Give a node to another coldkey.",
  usage: "--hotkey ACCOUNT --to ACCOUNT [options]",
  description:
    `Gives a hotkey, with its node and stake, to another coldkey, signed by the
present one. Withdrawals that wait, reputation and identity go with it.`,
  options: {
    hotkey: { value: "ACCOUNT", help: "The hotkey that is given away." },
    to: { value: "ACCOUNT", help: "The coldkey that gets it." },
    ...SEND_OPTIONS,
  },
  examples: [
    [
      "meshnode node update-coldkey --hotkey 0x… --to 0x… --dry-run --from 0x… --chain wss://rpc.example.org",
      "see what would go with it",
    ],
  ],
  async run(args, context) {
    const hotkey = await parseAccount(required(args, "hotkey"));
    const to = await parseAccount(required(args, "to"));
    return await send(args, context, async () => {
      const { planUpdateColdkey } = await import(
        "../../chain/hypertensor/plans/node.ts"
      );
      return (state, signer) =>
        planUpdateColdkey(state, signer, { hotkey, to });
    });
  },
};
