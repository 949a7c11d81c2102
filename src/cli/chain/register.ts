import { parseFraction, parseTensor } from "../../chain/amount.ts";
import type {
  NodeInput,
  PeerInput,
} from "../../chain/hypertensor/plans/inputs.ts";
import { readIdentityFile } from "../../identity/mod.ts";
import { type Parsed, usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { idArgument, parseAccount, required } from "./input.ts";
import { peerOf } from "./peers.ts";
import { send, SEND_OPTIONS } from "./send.ts";

const MAX_BYTES = 1_024;

/** `meshnode register` */
export const registerCommand: Command = {
  summary: "Register a node in a subnet.",
  usage: "SUBNET --hotkey ACCOUNT --stake AMOUNT [options]",
  description:
    `Registers a node in a subnet, signed by its coldkey. All that the chain asks for
is looked at before anything is spent: peers, addresses, stake, queue.

A node has two accounts: the coldkey owns it and its stake, and should be kept
off the machine that runs it; the hotkey signs its votes there. The stake can
be withdrawn later; what is burnt for the registration does not come back.`,
  options: {
    hotkey: { value: "ACCOUNT", help: "The account that signs its votes." },
    stake: { value: "AMOUNT", help: "TENSOR to stake." },
    identity: {
      value: "PATH",
      help: "Identity file of its peer, instead of --peer-id.",
    },
    "peer-id": { value: "ID", help: "Its peer in the mesh." },
    multiaddr: { value: "ADDR", help: "Where its peer can be reached." },
    "bootnode-peer-id": { value: "ID", help: "Its peer that is a bootnode." },
    "bootnode-multiaddr": {
      value: "ADDR",
      help: "Where that one can be reached; others enter the mesh through it.",
    },
    "client-peer-id": { value: "ID", help: "Its peer that is a client." },
    "client-multiaddr": {
      value: "ADDR",
      help: "Where that one can be reached.",
    },
    "max-burn": {
      value: "AMOUNT",
      help: "The most TENSOR that may be burnt for the registration.",
    },
    "delegate-reward-rate": {
      value: "PERCENT",
      help: "Share of its rewards for those who delegate to it.",
      default: "0%",
    },
    unique: { value: "TEXT", help: "Data that no other node may have." },
    "non-unique": { value: "TEXT", help: "Other data." },
    "delegate-account": {
      value: "ACCOUNT",
      help: "An account that shares in its rewards.",
    },
    "delegate-account-rate": {
      value: "PERCENT",
      help: "The share of that account.",
    },
    ...SEND_OPTIONS,
  },
  positionals: 1,
  examples: [
    [
      "meshnode register 128001 --identity identity.key --hotkey 0x… --stake 100 --max-burn 1 --from 0x… --dry-run --chain wss://rpc.example.org",
      "see what it would cost, and whether it is possible",
    ],
    [
      "meshnode register 128001 --identity identity.key --hotkey 0x… --stake 100 --max-burn 1 --key-file coldkey.txt --chain wss://rpc.example.org",
      "do it",
    ],
  ],
  async run(args, context) {
    const input = await nodeInput(args);
    return await send(args, context, async () => {
      const { planRegisterNode } = await import(
        "../../chain/hypertensor/plans/register_node.ts"
      );
      return (state, signer) => planRegisterNode(state, signer, input);
    });
  },
};

async function nodeInput(args: Parsed): Promise<NodeInput> {
  const account = args.text("delegate-account");
  const rate = args.text("delegate-account-rate");
  if ((account === undefined) !== (rate === undefined)) {
    throw usageError(
      "An account that shares in the rewards needs its share, and the other way round.",
      "Give both --delegate-account and --delegate-account-rate.",
    );
  }
  return {
    subnetId: idArgument(args, 0, "subnet"),
    hotkey: await parseAccount(required(args, "hotkey")),
    peer: await mainPeer(args),
    bootnode: peerOf(
      "bootnode",
      args.text("bootnode-peer-id"),
      args.text("bootnode-multiaddr"),
    ),
    client: peerOf(
      "client",
      args.text("client-peer-id"),
      args.text("client-multiaddr"),
    ),
    delegateRewardRate: parseFraction(
      args.text("delegate-reward-rate") as string,
    ),
    stake: parseTensor(required(args, "stake")),
    unique: shortText(args, "unique"),
    nonUnique: shortText(args, "non-unique"),
    delegateAccount: account === undefined || rate === undefined ? undefined : {
      accountId: await parseAccount(account),
      rate: parseFraction(rate),
    },
    maxBurn: parseTensor(required(args, "max-burn")),
  };
}

async function mainPeer(args: Parsed): Promise<PeerInput> {
  const path = args.text("identity");
  const given = args.text("peer-id");
  if (path !== undefined && given !== undefined) {
    throw usageError(
      "The peer is given twice.",
      "Use --identity or --peer-id, not both.",
    );
  }
  const peerId = path === undefined
    ? given
    : (await readIdentityFile(path)).peerId;
  const peer = peerOf("peer", peerId, args.text("multiaddr"));
  if (peer !== undefined) return peer;
  throw usageError(
    "It is not said which peer the node has.",
    "Give --identity PATH, --peer-id ID, or --multiaddr with /p2p/ at its end.",
  );
}

/** Text that fits into what the chain keeps. @throws {MeshError} `USAGE` */
function shortText(args: Parsed, name: string): string | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const { length } = new TextEncoder().encode(text);
  if (length > 0 && length <= MAX_BYTES) return text;
  throw usageError(
    `--${name} has ${length} bytes.`,
    `The chain keeps 1 to ${MAX_BYTES}.`,
  );
}
