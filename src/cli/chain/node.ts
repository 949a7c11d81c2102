import type { ChainView } from "../../chain/chain.ts";
import type { NodeDetails } from "../../chain/hypertensor/declared/answers.ts";
import type { SubnetNodeInfo } from "../../chain/types.ts";
import { type Parsed, usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { facts } from "../table.ts";
import { noSubnet } from "./epoch_report.ts";
import { idArgument, notFound, parseAccount } from "./input.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";
import { CLASS_WORDS, count, percent, tensor } from "./words.ts";

/** `meshnode chain node` */
export const nodeCommand: Command = {
  summary: "Show a node of a subnet.",
  usage: "SUBNET [NODE] --chain URL [options]",
  description:
    "Shows everything that the chain tells of a node: peers, class, stake, reputation.",
  options: {
    ...ANY_CHAIN_OPTIONS,
    hotkey: { value: "ACCOUNT", help: "Find the node by its hotkey." },
    "peer-id": { value: "ID", help: "Find the node by one of its peers." },
    json: { help: "Print JSON." },
  },
  positionals: 2,
  examples: [
    [
      "meshnode chain node 128001 3 --chain wss://rpc.example.org",
      "node 3 of a subnet",
    ],
    [
      "meshnode chain node 128001 --peer-id 12D3KooW… --chain wss://rpc.example.org",
      "the node that a peer belongs to",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, hypertensor, signal }) => {
      const json = args.flag("json");
      const subnetId = idArgument(args, 0, "subnet");
      const view = await chain.view(undefined, { signal });
      const { block } = view;
      const node = await findNode(view, subnetId, args, signal);
      if (hypertensor === undefined) {
        context.out(
          json ? jsonText({ block, subnetId, node }) : briefText(node),
        );
        return EXIT.ok;
      }
      const { NetworkState } = await import("./network.ts");
      const reader = await hypertensor.client.at(block, { signal });
      const details = await new NetworkState(reader, signal)
        .node(subnetId, node.id);
      if (details === undefined) throw noNode(subnetId, `with id ${node.id}`);
      context.out(
        json ? jsonText({ block, node: details }) : detailsText(details),
      );
      return EXIT.ok;
    }),
};

/** The node that the command line names. @throws {MeshError} */
async function findNode(
  view: ChainView,
  subnetId: number,
  args: Parsed,
  signal: AbortSignal,
): Promise<SubnetNodeInfo> {
  const hotkey = args.text("hotkey");
  const peerId = args.text("peer-id");
  const byId = args.positionals.length > 1;
  if (
    [byId, hotkey !== undefined, peerId !== undefined]
      .filter((each) => each).length !== 1
  ) {
    throw usageError(
      "It is not said which node is meant.",
      "Give either its id, or --hotkey, or --peer-id.",
    );
  }
  const options = { signal };
  if (await view.subnet(subnetId, options) === undefined) {
    throw noSubnet(subnetId);
  }
  if (hotkey !== undefined) {
    const account = await parseAccount(hotkey);
    const found = await view.nodeOfHotkey(subnetId, account, options);
    if (found !== undefined) return found;
    throw noNode(subnetId, `with the hotkey ${account}`);
  }
  const nodes = await view.nodes(subnetId, options);
  if (peerId !== undefined) {
    const found = nodes.find(({ peer, bootnode, client }) =>
      [peer, bootnode, client].some((each) => each?.peerId === peerId)
    );
    if (found !== undefined) return found;
    throw noNode(subnetId, `with the peer ${peerId}`);
  }
  const nodeId = idArgument(args, 1, "node");
  const found = nodes.find(({ id }) => id === nodeId);
  if (found !== undefined) return found;
  throw noNode(subnetId, `with id ${nodeId}`);
}

function noNode(subnetId: number, which: string): Error {
  return notFound(
    `Subnet ${subnetId} has no node ${which}.`,
    "`meshnode chain nodes` lists all of them.",
  );
}

/** A node of a development chain for people. */
export function briefText(node: SubnetNodeInfo): string {
  return facts([
    ["Id", String(node.id)],
    ["Class", `${node.nodeClass}: ${CLASS_WORDS[node.nodeClass]}`],
    ["From", `epoch ${node.startEpoch}`],
    ["Hotkey", node.hotkey],
    ["Coldkey", node.coldkey],
    ["Main peer", node.peer.multiaddr ?? node.peer.peerId],
    ["Stake", tensor(node.stake)],
    ["Reputation", percent(node.reputation)],
  ]);
}

/** A node for people. */
export function detailsText(node: NodeDetails): string {
  const { classification, coldkeyReputation, delegateAccount, identity } = node;
  const { nodeClass, startEpoch } = classification;
  return facts([
    ["Subnet", String(node.subnetId)],
    ["Id", String(node.subnetNodeId)],
    ["Class", `${nodeClass}: ${CLASS_WORDS[nodeClass]}`],
    ["From", `epoch ${startEpoch}`],
    [
      "Epochs so",
      nodeClass === "idle"
        ? String(node.consecutiveIdleEpochs)
        : nodeClass === "included"
        ? String(node.consecutiveIncludedEpochs)
        : undefined,
    ],
    ["Hotkey", node.hotkey],
    ["Coldkey", node.coldkey],
    ["Main peer", node.peer.peerId],
    ["  Address", node.peer.multiaddr],
    ["Bootnode peer", node.bootnode?.peerId],
    ["  Address", node.bootnode?.multiaddr],
    ["Client peer", node.client?.peerId],
    ["  Address", node.client?.multiaddr],
    ["Stake", tensor(node.stakeBalance)],
    [
      "Delegated to it",
      `${tensor(node.nodeDelegateStakeBalance)}, which earns ${
        percent(node.delegateRewardRate)
      } of its rewards`,
    ],
    [
      "Shares rewards with",
      delegateAccount &&
      `${delegateAccount.accountId}, ${percent(delegateAccount.rate)}`,
    ],
    ["Reputation", percent(node.subnetNodeReputation)],
    [
      "Of its coldkey",
      `${percent(coldkeyReputation.score)}, ${
        count(coldkeyReputation.totalActiveNodes, "active node")
      } of ${coldkeyReputation.lifetimeNodeCount} ever`,
    ],
    ["Unique data", node.unique && dataText(node.unique)],
    ["Other data", node.nonUnique && dataText(node.nonUnique)],
    ...Object.entries(identity)
      .filter(([, text]) => text !== "")
      .map(([name, text]) => [`Owner's ${name}`, text] as const),
  ]);
}

/** Data of an owner: its text, when it is one. */
function dataText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return `0x${bytes.toHex()}`;
  }
}
