import { raceSignal } from "../../core/deadline.ts";
import { ChainUnreadableError } from "../errors.ts";
import type { ChainView, ReadOptions } from "../chain.ts";
import {
  type ChainConstants,
  NODE_CLASSES,
  type NodeClass,
  type SubnetBootnode,
  type SubnetInfo,
  type SubnetNodeInfo,
} from "../types.ts";
import {
  storedAccount,
  storedAmount,
  storedBootnodes,
  storedEmergency,
  storedFreeBalance,
  storedIds,
  storedInteger,
  type StoredNode,
  storedNode,
  storedSubmission,
  storedSubnet,
} from "./decode.ts";
import { rulesOf } from "./layouts/mod.ts";
import type { StateReader } from "./state_reader.ts";

const PALLET = "network";

/** Reads what a node needs at one block, from plain storage wherever it is there. */
export class HypertensorView implements ChainView {
  static readonly #known = new WeakMap<StateReader, HypertensorView>();
  readonly #reader: StateReader;
  readonly #nodes = new Map<number, Promise<readonly SubnetNodeInfo[]>>();

  private constructor(reader: StateReader) {
    this.#reader = reader;
  }

  /** The view through a reader; the same for the same one, so that it decodes once. */
  static of(reader: StateReader): HypertensorView {
    const known = HypertensorView.#known.get(reader);
    if (known !== undefined) return known;
    const view = new HypertensorView(reader);
    HypertensorView.#known.set(reader, view);
    return view;
  }

  /** The block that all answers belong to. */
  get block() {
    return this.#reader.block;
  }

  /** What never changes while the block's runtime is in force. */
  get constants(): ChainConstants {
    return this.#reader.runtime.constants;
  }

  /** Whether the answers are of an earlier run. */
  get stale(): boolean {
    return this.#reader.stale;
  }

  /** The block's own time, in milliseconds of the Unix epoch. */
  async time(options: ReadOptions = {}): Promise<number> {
    const now = await this.#reader.get("timestamp", "now", [], options);
    return storedInteger(known(now, "time"));
  }

  /** The subnet, with its slot and limits. */
  async subnet(
    subnetId: number,
    options: ReadOptions = {},
  ): Promise<SubnetInfo | undefined> {
    const read = (item: string) =>
      this.#reader.get(PALLET, item, [subnetId], options);
    const [subnet, slot, minStake] = await Promise.all([
      read("subnetsData"),
      read("subnetSlot"),
      read("subnetMinStakeBalance"),
    ]);
    return subnet && {
      ...storedSubnet(subnet),
      slot: slot && storedInteger(slot),
      minStake: storedAmount(known(minStake, "least stake")),
    };
  }

  /** All nodes of a subnet, queued ones included, ascending by id. */
  nodes(
    subnetId: number,
    { signal }: ReadOptions = {},
  ): Promise<readonly SubnetNodeInfo[]> {
    let nodes = this.#nodes.get(subnetId);
    if (nodes === undefined) {
      nodes = this.#readNodes(subnetId).catch((error) => {
        this.#nodes.delete(subnetId);
        throw error;
      });
      this.#nodes.set(subnetId, nodes);
    }
    return raceSignal(nodes, signal);
  }

  async #readNodes(subnetId: number): Promise<readonly SubnetNodeInfo[]> {
    const items = ["subnetNodesData", "registeredSubnetNodesData"];
    const values = await Promise.all(
      items.map((item) => this.#reader.entries(PALLET, item, [subnetId])),
    );
    const { layout } = this.#reader.runtime.types;
    const stored = values.flat()
      .flatMap((value) => storedNode(value, layout) ?? []);
    const nodes = await this.#complete(subnetId, stored, {});
    return nodes.sort((a, b) => a.id - b.id);
  }

  /** The node that a hotkey signs for. */
  async nodeOfHotkey(
    subnetId: number,
    hotkey: string,
    options: ReadOptions = {},
  ): Promise<SubnetNodeInfo | undefined> {
    const id = await this.#reader
      .get(PALLET, "hotkeySubnetNodeId", [subnetId, hotkey], options);
    if (id === undefined) return undefined;
    const key = [subnetId, storedInteger(id)];
    const { layout } = this.#reader.runtime.types;
    const values = await Promise.all(
      ["subnetNodesData", "registeredSubnetNodesData"].map((item) =>
        this.#reader.get(PALLET, item, key, options)
      ),
    );
    const stored = values.flatMap((value) =>
      (value && storedNode(value, layout)) ?? []
    );
    const [node] = await this.#complete(subnetId, stored.slice(0, 1), options);
    return node;
  }

  /** The node elected for a subnet epoch; absent before its first block. */
  async electedValidator(
    subnetId: number,
    subnetEpoch: number,
    options: ReadOptions = {},
  ): Promise<number | undefined> {
    const key = [subnetId, subnetEpoch];
    const id = await this.#reader
      .get(PALLET, "subnetElectedValidator", key, options);
    return id && storedInteger(id);
  }

  /** What was proposed for a subnet epoch, with the attestations so far. */
  async submission(
    subnetId: number,
    subnetEpoch: number,
    options: ReadOptions = {},
  ) {
    const key = [subnetId, subnetEpoch];
    const value = await this.#reader
      .get(PALLET, "subnetConsensusSubmission", key, options);
    return value &&
      storedSubmission(value, this.#reader.runtime.types.layout);
  }

  /** Ids of the nodes that may attest: in an emergency only those it names. */
  async attestors(
    subnetId: number,
    options: ReadOptions = {},
  ): Promise<readonly number[]> {
    const read = (item: string) =>
      this.#reader.get(PALLET, item, [subnetId], options);
    const [emergency, slots] = await Promise.all([
      read("emergencySubnetNodeElectionData"),
      read("subnetNodeElectionSlots"),
    ]);
    const ids = emergency === undefined
      ? storedIds(known(slots, "electable nodes"))
      : storedEmergency(emergency);
    return [...ids].sort((a, b) => a - b);
  }

  /** The subnet's own bootnodes. */
  async bootnodes(
    subnetId: number,
    options: ReadOptions = {},
  ): Promise<readonly SubnetBootnode[]> {
    const { layout } = this.#reader.runtime.types;
    const value = await this.#reader
      .get(PALLET, rulesOf(layout).bootnodes, [subnetId], options);
    return storedBootnodes(known(value, "bootnodes"), layout);
  }

  /** Whether a peer id has stake in the subnet, as the chain itself decides. */
  proofOfStake(
    subnetId: number,
    peerId: string,
    minClass: NodeClass,
    options: ReadOptions = {},
  ): Promise<boolean> {
    const { registry, layout } = this.#reader.runtime.types;
    const peer = new TextEncoder().encode(peerId);
    const classNumber = NODE_CLASSES.indexOf(minClass);
    const tail = rulesOf(layout).proofOfStakeTail;
    const args = [
      registry.createType("u32", subnetId),
      registry.createType("Bytes", `0x${peer.toHex()}`),
      registry.createType("u8", classNumber),
      ...tail.map((type) => registry.createType(type as "Bytes", null)),
    ].map((each) => each.toU8a());
    return this.#reader.callBoolean({
      name: "proof_of_stake",
      args: `0x${args.map((each) => each.toHex()).join("")}`,
      rpcArgs: [subnetId, [...peer], classNumber, ...tail.map(() => null)],
    }, options);
  }

  /** The free balance of an account, in base units. */
  async balance(of: string, options: ReadOptions = {}): Promise<bigint> {
    const value = await this.#reader.get("system", "account", [of], options);
    return storedFreeBalance(known(value, "account"));
  }

  /** Adds what is stored apart: owner, stake and reputation. */
  async #complete(
    subnetId: number,
    stored: readonly StoredNode[],
    options: ReadOptions,
  ): Promise<SubnetNodeInfo[]> {
    const read = (
      item: string,
      key: (node: StoredNode) => readonly unknown[],
    ) => this.#reader.getMany(PALLET, item, stored.map(key), options);
    const [owners, stakes, reputations] = await Promise.all([
      read("hotkeyOwner", ({ hotkey }) => [hotkey]),
      read("accountSubnetStake", ({ hotkey }) => [hotkey, subnetId]),
      read("subnetNodeReputation", ({ id }) => [subnetId, id]),
    ]);
    return stored.map((node, i) => ({
      ...node,
      coldkey: storedAccount(known(owners[i], "owner")),
      stake: storedAmount(known(stakes[i], "stake")),
      reputation: storedAmount(known(reputations[i], "reputation")),
    }));
  }
}

/** What has a default and so is always there. */
function known<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new ChainUnreadableError(`The chain does not tell the ${what}.`);
}
