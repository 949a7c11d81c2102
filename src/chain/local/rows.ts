import {
  type Attestation,
  type ConsensusSubmission,
  NODE_CLASSES,
  type NodeClass,
  type NodeScore,
  ONE,
  type PeerInfo,
  type SubnetNodeInfo,
} from "../types.ts";
import { LocalChainError } from "./errors.ts";
import type { Row, Store } from "./store.ts";

/** The class of its number on the chain. */
export function classOf(number: unknown): NodeClass {
  const nodeClass = NODE_CLASSES[Number(number)];
  if (nodeClass !== undefined) return nodeClass;
  throw new LocalChainError(
    "LOCAL_CHAIN_DAMAGED",
    `A node has the unknown class ${number}.`,
  );
}

/** The number of a class on the chain. */
export function classNumber(nodeClass: NodeClass): number {
  return NODE_CLASSES.indexOf(nodeClass);
}

/** All nodes, ascending by id. */
export function readNodes(store: Store): SubnetNodeInfo[] {
  return nodesOf(
    store.all("SELECT * FROM nodes ORDER BY id"),
    store.all("SELECT * FROM peers"),
  );
}

/** The nodes of rows, in their order, with the peers of other rows. */
export function nodesOf(
  rows: readonly Row[],
  peerRows: readonly Row[],
): SubnetNodeInfo[] {
  const peers = new Map<number, Map<string, PeerInfo>>();
  for (const row of peerRows) {
    const id = Number(row["node_id"]);
    const kinds = peers.get(id) ?? new Map<string, PeerInfo>();
    kinds.set(String(row["kind"]), {
      peerId: String(row["peer_id"]),
      multiaddr: row["multiaddr"] === null
        ? undefined
        : String(row["multiaddr"]),
    });
    peers.set(id, kinds);
  }
  return rows.flatMap((row) => {
    const id = Number(row["id"]);
    const peer = peers.get(id)?.get("main");
    if (peer === undefined) return [];
    return [{
      id,
      hotkey: String(row["hotkey"]),
      coldkey: String(row["coldkey"]),
      peer,
      bootnode: peers.get(id)?.get("bootnode"),
      client: peers.get(id)?.get("client"),
      nodeClass: classOf(row["class"]),
      startEpoch: Number(row["start_epoch"]),
      stake: BigInt(String(row["stake"])),
      reputation: ONE,
    }];
  });
}

/** The text of scores. */
export function scoresText(scores: readonly NodeScore[]): string {
  return JSON.stringify(
    scores.map(({ nodeId, score }) => [nodeId, String(score)]),
  );
}

/** The submission of an epoch, as it stood at a block. */
export function readSubmission(
  store: Store,
  epoch: number,
  block = Number.MAX_SAFE_INTEGER,
): ConsensusSubmission | undefined {
  const row = store.get(
    "SELECT * FROM submissions WHERE epoch = ? AND block <= ?",
    epoch,
    block,
  );
  if (row === undefined) return undefined;
  const attestations = new Map<number, Attestation>(
    store.all(
      "SELECT node_id, block FROM attestations WHERE epoch = ? AND block <= ? " +
        "ORDER BY rowid",
      epoch,
      block,
    ).map((each) => [
      Number(each["node_id"]),
      { block: Number(each["block"]), data: undefined },
    ]),
  );
  const scores = JSON.parse(String(row["scores"])) as [number, string][];
  return {
    validatorId: Number(row["validator_id"]),
    block: Number(row["block"]),
    attestations,
    scores: scores.map(([nodeId, score]) => ({
      nodeId,
      score: BigInt(score),
    })),
    electorate: JSON.parse(String(row["electorate"])) as number[],
    prioritizeQueueNodeId: optional(row, "prioritize"),
    removeQueueNodeId: optional(row, "remove"),
  };
}

function optional(row: Row, name: string): number | undefined {
  const value = row[name];
  return value === null || value === undefined ? undefined : Number(value);
}
