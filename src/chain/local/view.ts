import { createHash } from "node:crypto";
import type { ChainView } from "../chain.ts";
import { epochPosition, firstBlockOf } from "../epoch.ts";
import type {
  BlockRef,
  ChainConstants,
  NodeClass,
  SubnetNodeInfo,
} from "../types.ts";
import { account, counts } from "./calls.ts";
import type { LocalChainFacts } from "./facts.ts";
import { momentOf } from "./past.ts";
import { readSubmission } from "./rows.ts";
import type { Row, Store } from "./store.ts";

/** What every read passes through: faults, then one step of reading. */
export type Reader = <T>(
  signal: AbortSignal | undefined,
  read: (store: Store) => T,
) => Promise<T>;

/** The hash of a block: no more than its number and the chain's seed. */
export function blockRef(facts: LocalChainFacts, number: number): BlockRef {
  const hash = createHash("sha256").update(`${facts.seed} block ${number}`)
    .digest("hex");
  return { number, hash: `0x${hash}` };
}

/** The constants of a chain. */
export function constantsOf(facts: LocalChainFacts): ChainConstants {
  const { epochLength, blockMilliseconds } = facts;
  const genesis = createHash("sha256").update(`${facts.seed} genesis`)
    .digest("hex");
  return { epochLength, blockMilliseconds, genesis: `0x${genesis}` };
}

/** Reads as of a block: what a later one brought is not seen. */
export function viewAt(
  facts: LocalChainFacts,
  block: BlockRef,
  read: Reader,
): ChainView {
  const ours = (subnetId: number) => subnetId === facts.subnetId;
  const { epoch } = epochPosition(block.number, facts.slot, facts.epochLength);
  const moment = (store: Store) => momentOf(store, block.number);
  const nodes = (store: Store) => moment(store).nodes;
  return {
    block,
    stale: false,
    time: (options) =>
      read(
        options?.signal,
        () => facts.genesisTime + block.number * facts.blockMilliseconds,
      ),
    subnet: (subnetId, options) =>
      read(options?.signal, (store) => {
        if (!ours(subnetId)) return undefined;
        const { state, startEpoch } = moment(store);
        if (state === "removed") return undefined;
        return {
          id: facts.subnetId,
          name: facts.subnetName,
          state,
          startEpoch,
          slot: facts.slot,
          minStake: facts.minStake,
        };
      }),
    nodes: (subnetId, options) =>
      read(options?.signal, (store) => ours(subnetId) ? nodes(store) : []),
    nodeOfHotkey: (subnetId, hotkey, options) =>
      read(
        options?.signal,
        (store) =>
          ours(subnetId)
            ? nodes(store).find((node) => node.hotkey === hotkey.toLowerCase())
            : undefined,
      ),
    electedValidator: (subnetId, subnetEpoch, options) =>
      read(options?.signal, (store) => {
        const first = firstBlockOf(subnetEpoch, facts.slot, facts.epochLength);
        if (!ours(subnetId) || block.number < first) return undefined;
        const row = store.get(
          "SELECT node_id FROM elections WHERE epoch = ?",
          subnetEpoch,
        );
        return row === undefined ? undefined : Number(row["node_id"]);
      }),
    submission: (subnetId, subnetEpoch, options) =>
      read(
        options?.signal,
        (store) =>
          ours(subnetId)
            ? readSubmission(store, subnetEpoch, block.number)
            : undefined,
      ),
    attestors: (subnetId, options) =>
      read(
        options?.signal,
        (store) =>
          ours(subnetId)
            ? nodes(store).filter((node) => counts(node, "validator", epoch))
              .map(({ id }) => id)
            : [],
      ),
    bootnodes: (subnetId, options) =>
      read(
        options?.signal,
        (store) => ours(subnetId) ? moment(store).bootnodes : [],
      ),
    proofOfStake: (subnetId, peerId, minClass, options) =>
      read(options?.signal, (store) => {
        if (!ours(subnetId)) return false;
        const { nodes, overwatch, bootnodes } = moment(store);
        return isStaked(peerId, {
          nodes,
          others: [...overwatch, ...bootnodes.map((each) => each.peerId)],
          epoch,
          minClass,
          minStake: facts.minStake,
        });
      }),
    balance: (of, options) =>
      read(
        options?.signal,
        (store) => moment(store).balances.get(account(of)) ?? 0n,
      ),
  };
}

/** The free balance of an account, base units. */
export function balanceOf(store: Store, of: string): bigint {
  const row = store.get(
    "SELECT amount FROM balances WHERE account = ?",
    account(of),
  );
  return row === undefined ? 0n : BigInt(text(row, "amount"));
}

/** Whether a peer id has stake, by the chain's three rules. */
export function isStaked(
  peerId: string,
  { nodes, others, epoch, minClass, minStake }: {
    /** All nodes of the subnet. */
    readonly nodes: readonly SubnetNodeInfo[];
    /** Peer ids of overwatch nodes and of the subnet's own bootnodes. */
    readonly others: readonly string[];
    /** The present subnet epoch. */
    readonly epoch: number;
    /** Least class of a node. */
    readonly minClass: NodeClass;
    /** Least stake of a node. */
    readonly minStake: bigint;
  },
): boolean {
  const node = nodes.find(({ peer, bootnode, client }) =>
    [peer, bootnode, client].some((each) => each?.peerId === peerId)
  );
  return others.includes(peerId) ||
    node !== undefined && node.stake >= minStake &&
      counts(node, minClass, epoch);
}

function text(row: Row, name: string): string {
  return String(row[name]);
}
