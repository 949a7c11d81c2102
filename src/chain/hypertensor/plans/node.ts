import { formatTensor } from "../../amount.ts";
import { list } from "../fields.ts";
import type { NetworkState } from "../network_state.ts";
import {
  amountOf,
  check,
  networkRuns,
  notElected,
  ownsHotkey,
  type Plan,
} from "./plan.ts";

/** Removing a node, signed by its coldkey or its hotkey. */
export async function planRemoveNode(
  state: NetworkState,
  signer: string,
  { subnetId, nodeId }: { readonly subnetId: number; readonly nodeId: number },
): Promise<Plan> {
  const hotkey = await state.account("subnetNodeIdHotkey", subnetId, nodeId);
  const [runs, elected, owner, stake] = await Promise.all([
    networkRuns(state),
    notElected(state, subnetId, nodeId, "ElectedValidatorCannotRemove"),
    hotkey && state.account("hotkeyOwner", hotkey),
    hotkey ? amountOf(state, "accountSubnetStake", hotkey, subnetId) : 0n,
  ]);
  return {
    title: `Remove node ${nodeId} of subnet ${subnetId}.`,
    call: {
      name: "remove_subnet_node",
      args: { subnet_id: subnetId, subnet_node_id: nodeId },
    },
    facts: [
      ["Hotkey", hotkey ?? "none"],
      ["Coldkey", owner ?? "none"],
      ["Stake", `${formatTensor(stake)} TENSOR, to be withdrawn afterwards`],
    ],
    spends: 0n,
    checks: [
      runs,
      check("The node exists", hotkey !== undefined, "InvalidSubnetNodeId"),
      check(
        "The signing key is the node's coldkey or hotkey",
        hotkey === undefined || signer === owner || signer === hotkey,
        "NotKeyOwner",
        `${signer} signs.`,
      ),
      elected,
    ],
    warnings: [
      "The node leaves at once: its class and its place in the queue are lost.",
    ],
  };
}

/** Giving a node another hotkey, signed by its coldkey. */
export async function planUpdateHotkey(
  state: NetworkState,
  coldkey: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<Plan> {
  const [runs, owns, taken] = await Promise.all([
    networkRuns(state),
    ownsHotkey(state, coldkey, from),
    state.account("hotkeyOwner", to),
  ]);
  return {
    title: `Let ${to} take the place of the hotkey ${from}.`,
    call: {
      name: "update_hotkey",
      args: { old_hotkey: from, new_hotkey: to },
    },
    facts: [["Coldkey", coldkey]],
    spends: 0n,
    checks: [
      runs,
      owns,
      check(
        "The other hotkey is not the coldkey",
        to !== coldkey,
        "ColdkeyMatchesHotkey",
      ),
      check(
        "The other hotkey has no node yet",
        taken === undefined,
        "HotkeyHasOwner",
        `It belongs to ${taken}.`,
      ),
    ],
    warnings: [
      "A node that runs with the old hotkey cannot sign any more: restart it with the new one.",
    ],
  };
}

/** Giving a hotkey with all that belongs to its coldkey to another coldkey. */
export async function planUpdateColdkey(
  state: NetworkState,
  coldkey: string,
  { hotkey, to }: { readonly hotkey: string; readonly to: string },
): Promise<Plan> {
  const count = (of: string) =>
    state.read(
      "coldkeyHotkeys",
      [of],
      "a list of hotkeys",
      (value) => list(value).length,
    );
  const [runs, owns, own = 0, others = 0] = await Promise.all([
    networkRuns(state),
    ownsHotkey(state, coldkey, hotkey),
    count(coldkey),
    count(to),
  ]);
  return {
    title: `Let ${to} take the place of the coldkey ${coldkey}.`,
    call: { name: "update_coldkey", args: { hotkey, new_coldkey: to } },
    facts: [["Hotkey", hotkey], ["Hotkeys of the coldkey", String(own)]],
    spends: 0n,
    checks: [
      runs,
      owns,
      check(
        "The other coldkey is not the hotkey",
        to !== hotkey,
        "ColdkeyMatchesHotkey",
      ),
    ],
    warnings: [
      "Withdrawals that wait, reputation and identity go to the other coldkey too; the free balance stays.",
      ...(own > 1
        ? [
          `The chain gives only this hotkey away, but moves the list of all ${own}: ` +
          "give the others away as well.",
        ]
        : []),
      ...(others > 0
        ? [
          `${to} has ${others} hotkeys of its own: the chain exchanges its lists with yours.`,
        ]
        : []),
    ],
  };
}
